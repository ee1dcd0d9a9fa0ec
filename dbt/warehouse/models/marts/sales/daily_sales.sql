-- Grain: one row per business date on which something was ordered.
select
    ordered_on,
    cast(count(case when sale_line_count > 0 then 1 end) as bigint) as order_count,
    cast(count(distinct case when sale_line_count > 0 and customer_key <> '{{ unknown_member() }}' then customer_id end) as bigint) as customer_count,
    {{- sum_measures(of_lines=false) }},
    cast(count(case when sale_line_count > 0 and customer_key = '{{ unknown_member() }}' then 1 end) as bigint) as unknown_customer_order_count
from {{ ref('fact_orders') }}
where not is_deleted
group by ordered_on
