{{ config(materialized='table') }}

{#- Two passes: spreads are taken around a centre that is known. -#}
with lines as (
    select product_id, cast(quantity as double) as quantity, cast({{ line_amount() }} as double) as amount
    from {{ ref('fact_order_items') }}
    where line_type = 'sale' and product_id is not null
),

centres as (
    select
        product_id,
        count(*) as line_count,
        avg(amount) as amount_mean,
        {{ quartiles('quantity', 'quantity') }},
        {{ quartiles('amount', 'amount') }}
    from lines
    group by product_id
),

spreads as (
    select
        lines.product_id,
        {{ deviation_around('lines.amount', 'centres.amount_mean') }} as amount_deviation,
        {{ spread_around('lines.quantity', 'centres.quantity_median', 'centres.quantity_q1', 'centres.quantity_q3') }} as quantity_spread,
        {{ spread_around('lines.amount', 'centres.amount_median', 'centres.amount_q1', 'centres.amount_q3') }} as amount_spread
    from lines
    inner join centres on lines.product_id = centres.product_id
    group by lines.product_id
)

select
    centres.product_id,
    cast(centres.line_count as bigint) as line_count,
    centres.line_count >= {{ var('detection').least_lines }} as is_judged,
    centres.quantity_q1,
    centres.quantity_median,
    centres.quantity_q3,
    spreads.quantity_spread,
    centres.amount_mean,
    spreads.amount_deviation,
    centres.amount_median,
    spreads.amount_spread
from centres
inner join spreads on centres.product_id = spreads.product_id
