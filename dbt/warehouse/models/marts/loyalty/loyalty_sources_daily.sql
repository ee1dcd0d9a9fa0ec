{{ config(materialized='view') }}

with batches as (
    select distinct table_name, as_of, next_as_of from {{ stage_batches() }} as batches
),

bounds as (
    select min(as_of) as first_on, max(as_of) as last_on from batches
),

days as (
    select calendar.day as snapshot_date from ({{ calendar('bounds') }}) as calendar
),

expected as (
    {% for name in stage_tables() -%}
    select '{{ name }}' as table_name{{ ' union all' if not loop.last }}
    {% else -%}
    select '' as table_name
    {% endfor %}
),

-- A cross join of its own: DuckDB stores it as a comma, which a join after it would bind to the last name alone.
asked as (
    select days.snapshot_date, expected.table_name from days cross join expected
)

select
    asked.snapshot_date,
    coalesce({{ dbt.listagg('case when batches.as_of is not null then asked.table_name end', "','", 'order by asked.table_name') }}, '') as sources_present,
    coalesce({{ dbt.listagg('case when batches.as_of is null then asked.table_name end', "','", 'order by asked.table_name') }}, '') as sources_missing,
    min(batches.as_of) as oldest_source_on
from asked
left join batches
    on asked.table_name = batches.table_name
    and {{ in_force('asked.snapshot_date', 'batches.as_of', 'batches.next_as_of') }}
group by asked.snapshot_date
