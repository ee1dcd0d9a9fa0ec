{#- Aggregate: `value`, which must not be null (engines differ there), of the row with the greatest `position`, which must not be tied. -#}
{% macro value_at_greatest(value, position) -%}
    max_by({{ value }}, {{ position }})
{%- endmacro %}
