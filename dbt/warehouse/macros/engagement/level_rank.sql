{#- Place of an engagement level among those of var `engagement`, which lists them from least to most: bigint from 0, null for any other. -#}
{% macro level_rank(level) -%}
    cast(case {{ level }}
        {%- for name in var('engagement').levels %} when '{{ name }}' then {{ loop.index0 }}{% endfor %} end as bigint)
{%- endmacro %}
