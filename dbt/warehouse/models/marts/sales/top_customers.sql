{%- set since = add_days(newest_day(), -364) %}

with orders as (
    select * from {{ ref('fact_orders') }}
    where ordered_on >= {{ since }} and ordered_on <= {{ newest_day() }} and not is_deleted
),

totals as (
    select
        sum(net_amount) as net_amount,
        count(case when sale_line_count > 0 and customer_key = '{{ unknown_member() }}' then 1 end) as unknown_customer_order_count
    from orders
),

customers as (
    select
        customer_id,
        max(ordered_on) as last_ordered_on,
        cast(count(case when sale_line_count > 0 then 1 end) as bigint) as order_count,
        {{- sum_measures(of_lines=false) }}
    from orders
    where customer_key <> '{{ unknown_member() }}'
    group by customer_id
),

ranked as (
    select customers.*, row_number() over (order by net_amount desc nulls last, customer_id) as customer_rank
    from customers
)

select
    {{ newest_day() }} as as_of,
    cast(ranked.customer_rank as bigint) as customer_rank,
    ranked.customer_id,
    dimension.customer_key,
    dimension.country,
    dimension.customer_group,
    ranked.order_count,
    ranked.gross_amount,
    ranked.returned_amount,
    ranked.net_amount,
    cast(round(cast(ranked.net_amount as double) / nullif(cast(totals.net_amount as double), 0), 6) as decimal(9,6)) as net_share,
    ranked.last_ordered_on,
    ranked.imputed_line_count,
    cast(totals.unknown_customer_order_count as bigint) as unknown_customer_order_count
from ranked
cross join totals
inner join {{ ref('dim_customers') }} as dimension on ranked.customer_id = dimension.customer_id and dimension.is_current
where ranked.customer_rank <= {{ var('top_customers') }}
