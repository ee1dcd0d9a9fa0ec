{#- Statements that change one table, separated by semicolons, as one transaction; on DuckDB dbt holds one already. -#}
{% macro in_one_transaction(statements) -%}
    {{ return(adapter.dispatch('in_one_transaction', 'regulars')(statements)) }}
{%- endmacro %}

{% macro default__in_one_transaction(statements) -%}
    {{ return(statements) }}
{%- endmacro %}

{% macro snowflake__in_one_transaction(statements) -%}
    {{ return(snowflake_dml_explicit_transaction(statements)) }}
{%- endmacro %}
