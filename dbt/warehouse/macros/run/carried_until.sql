{#-
    For a table that sums up everything up to its column known_on: that day as a date literal, if the run only adds later days
    to what the table holds; none if the run goes back, and everything must be read again.
-#}
{% macro carried_until() -%}
    {%- if not execute or model.resource_type == 'unit_test' or is_from_start() or load_relation(this) is none -%} {{ return(none) }} {%- endif -%}
    {%- set known_on = run_query('select max(known_on) from ' ~ this ~ ' having max(known_on) < ' ~ first_day()).columns[0].values() -%}
    {{ return("date '" ~ known_on[0] ~ "'" if known_on else none) }}
{%- endmacro %}
