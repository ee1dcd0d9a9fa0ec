-- Customers who ordered at least once, with the days since they last did.
select
    customer_id,
    cast({{ days_between('last_ordered_on', newest_day()) }} as bigint) as recency_days,
    order_count,
    net_amount
from {{ ref('int_customer_sales') }}
where order_count > 0
