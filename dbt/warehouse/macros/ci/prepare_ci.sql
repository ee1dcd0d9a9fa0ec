{#-
    What a build of changed models reads besides other models, brought into the database of the target: `raw` and `ops` of `production`.
    dbt run-operation prepare_ci --args '{production: REGULARS}'. On Snowflake nothing is copied; on DuckDB raw are views.
-#}
{% macro prepare_ci(production) -%}
    {%- if production | lower == target.database | lower -%}
        {{ exceptions.raise_compiler_error('the target is ' ~ production ~ ' itself: give the build a database of its own') }}
    {%- endif -%}
    {{ adapter.dispatch('prepare_ci')(production) }}
{%- endmacro %}

{% macro default__prepare_ci(production) -%}
    {%- for schema in ['raw', 'ops'] -%}
        {%- do run_query('create or replace schema ' ~ target.database ~ '.' ~ schema ~ ' clone ' ~ production ~ '.' ~ schema) -%}
    {%- endfor -%}
{%- endmacro %}

{% macro duckdb__prepare_ci(production) -%}
    {%- set found = run_query("select table_schema, table_name from information_schema.tables where table_catalog = '" ~ production ~ "' and table_schema in ('raw', 'ops') order by all") -%}
    {%- for row in found.rows -%}
        {%- set place = row[0] ~ '."' ~ row[1] ~ '"' -%}
        {%- do run_query('create schema if not exists ' ~ row[0]) -%}
        {%- if row[0] == 'raw' -%}
            {%- do run_query('create or replace view ' ~ place ~ ' as from ' ~ production ~ '.' ~ place) -%}
        {%- else -%}
            {%- do run_query('create or replace table ' ~ place ~ ' as from ' ~ production ~ '.' ~ place) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
