{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='month_starts_on') }}

with {{ touched_periods('month_starts_on', first_of_month('ordered_on')) }}

lines as (
    select
        {{ first_of_month('items.ordered_on') }} as month_starts_on,
        items.product_key <> '{{ unknown_member() }}' as is_known,
        products.category_id,
        items.line_type,
        items.quantity,
        items.unit_price,
        items.total_amount
    from {{ ref('fact_order_items') }} as items
    left join {{ ref('dim_products') }} as products on items.product_key = products.product_key
    where items.ordered_on is not null
        {%- if is_incremental() %}
        and items.ordered_on >= (select min(month_starts_on) from touched)
        and {{ first_of_month('items.ordered_on') }} in (select month_starts_on from touched)
        {%- endif %}
),

sums as (
    select
        month_starts_on,
        is_known,
        category_id,
        {{- sum_measures() }}
    from lines
    group by month_starts_on, is_known, category_id
)

{{ with_touched('sums', 'month_starts_on', ['month_starts_on', 'is_known', 'category_id'] + (line_measures().keys() | list)) }}
