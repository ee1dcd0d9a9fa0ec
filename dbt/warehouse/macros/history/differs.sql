{#- Whether two rows differ in any of the columns, nulls being equal. -#}
{% macro differs(left, right, columns) -%}
    {%- for name in columns %}
    or {{ left }}.{{ name }} is distinct from {{ right }}.{{ name }}
    {%- endfor -%}
{%- endmacro %}
