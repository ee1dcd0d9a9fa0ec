{{ config(materialized='view') }}

-- The newest day is there already, as loyalty_master; asked for that day alone, an engine sees that the rest is empty.
select * from {{ ref('loyalty_master') }}
where snapshot_date = {{ newest_day() }}
union all
select * from (
    {{ loyalty_days() | indent(4) }}
) as other_days
where snapshot_date <> {{ newest_day() }}
