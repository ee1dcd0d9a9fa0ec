{#- Whole days from one date to another: bigint, negative if `until` is the earlier one. -#}
{% macro days_between(since, until) -%}
    {{ return(adapter.dispatch('days_between', 'regulars')(since, until)) }}
{%- endmacro %}

{% macro duckdb__days_between(since, until) -%}
    ({{ until }} - {{ since }})
{%- endmacro %}

{% macro snowflake__days_between(since, until) -%}
    datediff(day, {{ since }}, {{ until }})
{%- endmacro %}
