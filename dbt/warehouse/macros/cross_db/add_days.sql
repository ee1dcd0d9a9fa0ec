{#- The date `days` days after a date (before it, if negative). -#}
{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch('add_days', 'regulars')(day, days)) }}
{%- endmacro %}

{% macro duckdb__add_days(day, days) -%}
    ({{ day }} + {{ '(' ~ days ~ ')' if days is number else 'cast(' ~ days ~ ' as integer)' }})
{%- endmacro %}

{% macro snowflake__add_days(day, days) -%}
    cast(dateadd(day, {{ days }}, {{ day }}) as date)
{%- endmacro %}
