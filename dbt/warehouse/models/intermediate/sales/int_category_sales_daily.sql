{{ config(materialized='table') }}

-- The one pass over all lines by category: months of product_category_sales and series of forecasts are added up from it.
with lines as (
    select
        items.ordered_on,
        items.product_key <> '{{ unknown_member() }}' as is_known,
        products.category_id,
        items.line_type,
        items.quantity,
        items.unit_price,
        items.total_amount
    from {{ ref('fact_order_items') }} as items
    left join {{ ref('dim_products') }} as products on items.product_key = products.product_key
    where items.ordered_on is not null
)

select
    ordered_on,
    is_known,
    category_id,
    {{- sum_measures() }}
from lines
group by ordered_on, is_known, category_id
