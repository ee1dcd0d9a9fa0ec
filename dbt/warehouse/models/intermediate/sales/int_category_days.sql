{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='ordered_on') }}

-- The one pass over all lines by category: months and series of forecasts are added up from it.
with {{ touched_periods('ordered_on', 'ordered_on') }}

lines as (
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
        {{ 'and items.ordered_on >= (select min(ordered_on) from touched) and items.ordered_on in (select ordered_on from touched)' if is_incremental() }}
),

sums as (
    select
        ordered_on,
        is_known,
        category_id,
        {{- sum_measures() }}
    from lines
    group by ordered_on, is_known, category_id
)

{{ with_touched('sums', 'ordered_on', ['ordered_on', 'is_known', 'category_id'] + (line_measures().keys() | list)) }}
