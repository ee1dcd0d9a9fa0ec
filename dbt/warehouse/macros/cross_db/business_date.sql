{#- The business date (zone of var `timezone`) of a moment, which is UTC without zone. -#}
{% macro business_date(moment) -%}
    {%- if var('timezone') == 'UTC' -%} cast({{ moment }} as date)
    {%- else -%} {{ return(adapter.dispatch('business_date', 'regulars')(moment, var('timezone'))) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__business_date(moment, zone) -%}
    cast(timezone('{{ zone }}', timezone('UTC', {{ moment }})) as date)
{%- endmacro %}

{% macro snowflake__business_date(moment, zone) -%}
    cast(convert_timezone('UTC', '{{ zone }}', {{ moment }}) as date)
{%- endmacro %}
