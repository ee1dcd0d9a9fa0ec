{{ config(materialized='table') }}

select
    customer_id,
    min(case when sale_line_count > 0 then ordered_on end) as first_ordered_on,
    max(case when sale_line_count > 0 then ordered_on end) as last_ordered_on,
    cast(count(case when sale_line_count > 0 then 1 end) as bigint) as order_count,
    {{- sum_measures(of_lines=false) }}
from {{ ref('fact_orders') }}
where customer_key <> '{{ unknown_member() }}' and not is_deleted
group by customer_id
