-- Grain: one row, the four thresholds of each score over all customers who ordered.
select
    {{- rfm_thresholds('recency_days') }},
    {{- rfm_thresholds('order_count') }},
    {{- rfm_thresholds('net_amount') }}
from {{ ref('int_customer_recency') }}
