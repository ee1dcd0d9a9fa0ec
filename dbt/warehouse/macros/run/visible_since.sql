{#-
    The as_of of the snapshot that is visible on the run's first day, as a date literal, so that the engine reads no older file.
-#}
{% macro visible_since(table_name) -%}
    {%- set ledger = source('ops', 'effective_batches') -%}
    {%- if not execute or model.resource_type == 'unit_test' or is_from_start() -%} {{ return("date '" ~ beginning() ~ "'") }} {%- endif -%}
    {%- set found = run_query("select max(as_of) from " ~ ledger ~ " where table_name = '" ~ table_name ~ "' and as_of <= " ~ first_day()) -%}
    {{ return("date '" ~ (found.columns[0].values()[0] or beginning()) ~ "'") }}
{%- endmacro %}
