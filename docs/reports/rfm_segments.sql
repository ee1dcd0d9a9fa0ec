-- How are customers spread over the RFM segments, and what does each bring in? docs/sales.md says what the segments mean.
-- One row per segment, the one with the most sales first.
select
    segment,
    count(*) as customers,
    cast(round(100 * (cast(count(*) as double) / sum(count(*)) over ()), 1) as decimal(5, 1)) as customers_pct,
    sum(net_amount) as net_amount,
    cast(round(100 * (cast(sum(net_amount) as double) / nullif(cast(sum(sum(net_amount)) over () as double), 0)), 1) as decimal(9, 1))
        as net_amount_pct,
    cast(round(avg(cast(recency_days as double)), 0) as bigint) as average_recency_days,
    cast(round(avg(cast(order_count as double)), 1) as decimal(9, 1)) as average_order_count
from marts.rfm_segments
group by segment
order by net_amount desc nulls last, segment
