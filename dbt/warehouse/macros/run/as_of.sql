{#-
    The business date the run builds for, as a date literal: var `as_of`, else the environment variable REGULARS_AS_OF. The flows
    use the variable: a changed var makes dbt parse the whole project again, a variable that is only read while executing does not.
-#}
{% macro as_of() -%}
    {%- set day = var('as_of', none) or run_setting('REGULARS_AS_OF') -%}
    {%- if not day and execute -%}
        {{ exceptions.raise_compiler_error("as_of is missing: call dbt with --vars 'as_of: 2026-01-05', the business date to build") }}
    {%- endif -%}
    date '{{ (day or '1900-01-01') | string | truncate(10, true, '') }}'
{%- endmacro %}

{% macro run_setting(name) -%}
    {{ return(env_var(name, '') if execute else '') }}
{%- endmacro %}
