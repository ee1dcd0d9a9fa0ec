{#- The category that a series of sales speaks of; null for `total` and `other categories`. -#}
{% macro category_of_series(series) -%}
    case when {{ series }} like 'category %' then substr({{ series }}, 10) end
{%- endmacro %}
