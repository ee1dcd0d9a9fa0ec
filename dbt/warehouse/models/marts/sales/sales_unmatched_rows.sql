with found as (
    select
        'fact_orders' as table_name,
        case when customer_id is null then 'no_customer_id' else 'unknown_customer' end as reason,
        order_id,
        net_amount
    from {{ ref('fact_orders') }}
    where customer_key = '{{ unknown_member() }}' and not is_deleted
    union all
    select
        'fact_order_items' as table_name,
        case when ordered_on is null then 'unknown_order' when product_id is null then 'no_product_id' else 'unknown_product' end as reason,
        order_id,
        cast({{ line_measures().net_amount[1] }} as decimal(18,2)) as net_amount
    from {{ ref('fact_order_items') }}
    where (ordered_on is null or product_key = '{{ unknown_member() }}') and line_type <> 'removed'
)

select
    {{ newest_day() }} as as_of,
    table_name,
    reason,
    cast(count(*) as bigint) as row_count,
    cast(count(distinct order_id) as bigint) as order_count,
    cast(sum(net_amount) as decimal(18,2)) as net_amount,
    min(order_id) as first_order_id
from found
group by table_name, reason
