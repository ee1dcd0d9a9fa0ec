{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='order_id', meta={'bounded': 'ordered_on'}) }}

{%- set orders = ref('int_orders_known') %}

with {{ touched_orders() }}

known as (
    {{ known_rows('shop', 'order_items', stored=(this if is_incremental() else none), group_key='order_id', since=since_touched()) | indent(4) }}
),

lines as (
    select
        known.order_id,
        known.line_id,
        coalesce(customers.customer_key, '{{ unknown_member() }}') as customer_key,
        coalesce(products.product_key, '{{ unknown_member() }}') as product_key,
        known.product_id,
        orders.ordered_at,
        orders.ordered_on,
        orders.status as order_status,
        case
            when known.is_deleted or orders.is_deleted then 'removed'
            when orders.status = 'cancelled' or known.status = 'cancelled' then 'cancellation'
            when orders.status = 'returned' or known.status = 'returned' or known.quantity < 0 then 'return'
            else 'sale'
        end as line_type,
        known.quantity,
        known.unit_price,
        known.total_amount,
        known.status,
        known.updated_at,
        known.is_deleted,
        known.landed_on,
        orders.landed_on as order_landed_on
    from known
    left join {{ orders }} as orders on known.order_id = orders.order_id
    left join {{ ref('dim_customers') }} as customers
        on orders.customer_id = customers.customer_id
        and orders.ordered_on >= customers.effective_from and orders.ordered_on < customers.effective_to
    left join {{ ref('dim_products') }} as products
        on known.product_id = products.product_id
        and {{ day_of_line() }} >= products.effective_from and {{ day_of_line() }} < products.effective_to
)

{{ with_touched('lines', 'order_id', [
    'order_id', 'line_id', 'customer_key', 'product_key', 'product_id', 'ordered_at', 'ordered_on', 'order_status', 'line_type', 'quantity',
    'unit_price', 'total_amount', 'status', 'updated_at', 'is_deleted', 'landed_on', 'order_landed_on',
], order='ordered_on') }}
