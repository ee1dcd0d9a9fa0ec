-- Which orders came later than promised, or are overdue now? As of the newest business date with a sale.
-- One row per order, the latest first; orders without a promise and cancelled ones are left out.
with days as (select max(ordered_on) as as_of from marts.daily_sales)

select
    orders.order_id,
    orders.customer_id,
    orders.channel,
    orders.status,
    orders.ordered_on,
    cast(orders.promised_at as date) as promised_on,
    cast(orders.delivered_at as date) as delivered_on,
    datediff('day', cast(orders.promised_at as date), coalesce(cast(orders.delivered_at as date), days.as_of)) as days_late,
    orders.net_amount
from marts.fact_orders as orders
cross join days
where not orders.is_deleted
    and orders.status not in ('cancelled', 'returned')
    and cast(orders.promised_at as date) < coalesce(cast(orders.delivered_at as date), days.as_of)
order by days_late desc nulls last, orders.order_id
