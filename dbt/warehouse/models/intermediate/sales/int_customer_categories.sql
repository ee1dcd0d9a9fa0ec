{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='customer_id') }}

with {{ touched_customers() }}

customers as (
    select customer_key, customer_id from {{ ref('dim_customers') }}
    where customer_id is not null
        {{ 'and customer_id in (select customer_id from touched)' if is_incremental() }}
),

sums as (
    select
        customers.customer_id,
        products.category_id,
        cast(sum(items.quantity) as decimal(18,3)) as sold_quantity,
        cast(sum(coalesce({{ line_amount() }}, 0)) as decimal(18,2)) as gross_amount
    from {{ ref('fact_order_items') }} as items
    inner join customers on items.customer_key = customers.customer_key
    inner join {{ ref('dim_products') }} as products on items.product_key = products.product_key
    where items.line_type = 'sale' and products.category_id is not null
    group by customers.customer_id, products.category_id
)

{{ with_touched('sums', 'customer_id', ['customer_id', 'category_id', 'sold_quantity', 'gross_amount']) }}
