{#-
    The as_of of the snapshot that is visible on the run's day, as a date literal, so that the engine reads no other file.
-#}
{% macro visible_on(table_name) -%}
    {%- set ledger = source('ops', 'effective_batches') -%}
    {%- if not execute or model.resource_type == 'unit_test' -%} {{ return(as_of()) }} {%- endif -%}
    {%- set found = run_query("select max(as_of) from " ~ ledger ~ " where table_name = '" ~ table_name ~ "' and as_of <= " ~ as_of()) -%}
    {{ return("date '" ~ (found.columns[0].values()[0] or beginning()) ~ "'") }}
{%- endmacro %}
