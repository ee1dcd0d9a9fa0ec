{#-
    Digest of the columns of a row, 60 bits of MD5 over their text, as the transfer makes it again of what arrives (regulars/transfer.py).
    It finds rows that were changed on the way, not rows that somebody forged.
-#}
{% macro row_digest(columns) -%}
    ('x' || substr(md5(concat_ws(chr(31){% for name in columns %}, coalesce(cast({{ name }} as text), '\N'){% endfor %})), 1, 15))::bit(60)::bigint
{%- endmacro %}
