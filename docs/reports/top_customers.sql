-- Who are the best customers of the last 365 days, what share of all sales is theirs, and when did each order last?
-- One row per customer, best first; returns and cancellations are taken off.
select
    customer_rank,
    customer_id,
    country,
    customer_group,
    order_count,
    net_amount,
    net_share,
    cast(sum(net_share) over (order by customer_rank) as decimal(9, 6)) as cumulative_share,
    last_ordered_on,
    imputed_line_count
from marts.top_customers
where customer_rank <= 20
order by customer_rank
