{{ config(materialized='table') }}

select
    customer_id,
    min(first_ordered_on) as first_ordered_on,
    max(last_ordered_on) as last_ordered_on,
    cast(sum(order_count) as bigint) as order_count,
    {{- sum_measures(of_lines=false) }}
from {{ ref('int_customer_months') }}
group by customer_id
