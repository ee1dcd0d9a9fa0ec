{#- One row per calendar day between two dates (both included), column `day`; `bounds` is a relation with columns first_on and last_on and one row. -#}
{% macro calendar(bounds) -%}
    {{ return(adapter.dispatch('calendar', 'regulars')(bounds)) }}
{%- endmacro %}

{% macro duckdb__calendar(bounds) -%}
    select cast(unnest(generate_series(cast(first_on as timestamp), cast(last_on as timestamp), interval 1 day)) as date) as day
    from {{ bounds }}
{%- endmacro %}

{% macro snowflake__calendar(bounds) -%}
    select {{ add_days('bounds.first_on', 'steps.step') }} as day
    from {{ bounds }} as bounds
    cross join (select row_number() over (order by seq4()) - 1 as step from table(generator(rowcount => 36525))) as steps
    where {{ add_days('bounds.first_on', 'steps.step') }} <= bounds.last_on
{%- endmacro %}
