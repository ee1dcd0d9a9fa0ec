select * from (
    {{ loyalty_days() | indent(4) }}
) as days
where snapshot_date = {{ newest_day() }}
