{% macro same_key(left, right, key) -%}
    {%- for name in key %}{{ left }}.{{ name }} = {{ right }}.{{ name }}{{ ' and ' if not loop.last }}{% endfor -%}
{%- endmacro %}
