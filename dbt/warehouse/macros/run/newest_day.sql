{#- The newest landed day up to as_of, as a date literal: what `loyalty_master` shows. -#}
{% macro newest_day() -%}
    {%- set ledger = stage_batches() -%}
    {%- if not execute or model.resource_type == 'unit_test' -%} {{ return(as_of()) }} {%- endif -%}
    {%- set day = run_query('select max(as_of) from ' ~ ledger ~ ' as batches where as_of <= ' ~ as_of()).columns[0].values()[0] -%}
    {{ return("date '" ~ (day or beginning()) ~ "'") }}
{%- endmacro %}
