{#-
    Whether a day lies in the half-open stretch [starts, ends), open if `ends` is null. Written without `or`, which would make
    DuckDB compare every pair of rows in an outer join.
-#}
{% macro in_force(day, starts, ends) -%}
    {{ day }} >= {{ starts }} and {{ day }} < coalesce({{ ends }}, date '9999-12-31')
{%- endmacro %}
