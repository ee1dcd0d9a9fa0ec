select * from {{ ref('loyalty_history_daily') }}
where snapshot_date = {{ newest_day() }}
