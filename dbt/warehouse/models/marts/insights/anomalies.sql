with orders as (
    select order_id, customer_id, ordered_on, order_landed_on as landed_on
    from {{ ref('fact_orders') }}
    where customer_id is not null and customer_key = '{{ unknown_member() }}' and not is_deleted
),

products as (
    select products.product_id, products.valid_from as landed_on
    from {{ ref('dim_products') }} as products
    left join {{ ref('int_categories_known') }} as categories on products.category_id = categories.category_id
    where products.is_current and products.category_id is not null and categories.category_id is null
        and exists (select 1 from {{ ref('int_categories_known') }})
),

days as (
    select day, observed, lower_bound, upper_bound, score
    from {{ source('ops', 'judged_series') }}
    where series = 'net_amount' and status = 'flagged'
)

select
    rule,
    'order_items' as table_name,
    column_name,
    order_id,
    line_id,
    product_id,
    cast(null as varchar) as customer_id,
    ordered_on,
    landed_on,
    observed,
    lower_bound,
    upper_bound,
    score
from {{ ref('int_line_findings') }}
union all
select
    'unknown_customer', 'orders', 'customer_id', order_id, null, null, customer_id, ordered_on, landed_on, null, null, null, null
from orders
union all
select
    'unknown_category', 'products', 'category_id', null, null, product_id, null, null, landed_on, null, null, null, null
from products
union all
select
    'daily_total', 'daily_sales', 'net_amount', null, null, null, null, day, day, observed, lower_bound, upper_bound, score
from days
