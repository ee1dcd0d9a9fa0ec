{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='customer_id') }}

-- How a customer's units spread over categories: 1 is all of one category, 1 / n evenly over n. The favourite is the one with most units.
with {{ touched_customers() }}

customers as (
    select customer_key, customer_id from {{ ref('dim_customers') }}
    where customer_id is not null
        {{ 'and customer_id in (select customer_id from touched)' if is_incremental() }}
),

sums as (
    select customers.customer_id, products.category_id, cast(sum(items.quantity) as decimal(18,3)) as sold_quantity
    from {{ ref('fact_order_items') }} as items
    inner join customers on items.customer_key = customers.customer_key
    inner join {{ ref('dim_products') }} as products on items.product_key = products.product_key
    where items.line_type = 'sale' and products.category_id is not null
    group by customers.customer_id, products.category_id
),

ranked as (
    select
        customer_id,
        category_id,
        case when sold_quantity > 0 then sold_quantity end as units,
        row_number() over (partition by customer_id order by sold_quantity desc nulls last, category_id) as category_rank
    from sums
),

features as (
    select
        customer_id,
        max(case when category_rank = 1 then category_id end) as favourite_category_id,
        cast(count(units) as bigint) as category_count,
        {{ share_of('max(units)', 'sum(units)') }} as favourite_category_share,
        {{ share_of('cast(sum(units * units) as decimal(38,6))', 'cast(sum(units) as decimal(18,3)) * cast(sum(units) as decimal(18,3))') }} as category_concentration
    from ranked
    group by customer_id
)

{{ with_touched('features', 'customer_id', ['customer_id', 'favourite_category_id', 'category_count', 'favourite_category_share', 'category_concentration']) }}
