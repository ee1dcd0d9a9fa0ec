{{ config(materialized='view') }}

with batches as (
    select distinct table_name, as_of, next_as_of from {{ source('ops', 'effective_batches') }}
),

bounds as (
    select min(as_of) as first_on, max(as_of) as last_on from batches
),

days as (
    select calendar.day as snapshot_date from ({{ calendar('bounds') }}) as calendar
),

expected as (
    {% for name in loyalty_tables() -%}
    select '{{ name }}' as table_name{{ ' union all' if not loop.last }}
    {% else -%}
    select '' as table_name
    {% endfor %}
)

select
    days.snapshot_date,
    coalesce({{ dbt.listagg('case when batches.as_of is not null then expected.table_name end', "','", 'order by expected.table_name') }}, '') as sources_present,
    coalesce({{ dbt.listagg('case when batches.as_of is null then expected.table_name end', "','", 'order by expected.table_name') }}, '') as sources_missing,
    min(batches.as_of) as oldest_source_on
from days
cross join expected
left join batches
    on expected.table_name = batches.table_name
    and {{ in_force('days.snapshot_date', 'batches.as_of', 'batches.next_as_of') }}
group by days.snapshot_date
