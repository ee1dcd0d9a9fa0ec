-- How much have customers brought in who used to buy and have fallen silent, and who are the most valuable of them?
-- The 50 most valuable customers of the segments `cannot lose` and `at risk`, with the sum over all of them in each row.
select
    customers.customer_id,
    customers.country,
    customers.rfm_segment,
    customers.days_since_last_order,
    customers.order_count,
    customers.average_order_amount,
    customers.net_amount,
    customers.favourite_category_id,
    sum(customers.net_amount) over () as net_amount_at_risk,
    count(*) over () as customers_at_risk
from marts.customer_360 as customers
where customers.rfm_segment in ('cannot lose', 'at risk') and not customers.is_deleted
order by customers.net_amount desc nulls last, customers.customer_id
limit 50
