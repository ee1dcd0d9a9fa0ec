{#-
    Make or drop the database of one build of changed models on Snowflake. Only a name with _CI_ in it is taken, so that no mistake in
    a variable drops another one.
-#}
{% macro ci_database(present) -%}
    {%- if '_CI_' not in target.database | upper -%}
        {{ exceptions.raise_compiler_error(target.database ~ ' is no database of a CI build: its name has no _CI_') }}
    {%- endif -%}
    {%- if present -%}
        {%- do run_query('create transient database if not exists ' ~ target.database) -%}
    {%- else -%}
        {%- do run_query('drop database if exists ' ~ target.database) -%}
    {%- endif -%}
{%- endmacro %}
