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
),

joined as (
    select
        centres.*,
        spreads.amount_deviation,
        spreads.quantity_spread,
        spreads.amount_spread,
        centres.line_count >= {{ var('detection').least_lines }} as is_judged
    from centres
    inner join spreads on centres.product_id = spreads.product_id
)

select
    product_id,
    cast(line_count as bigint) as line_count,
    is_judged,
    quantity_median,
    quantity_q3 - quantity_q1 as quantity_iqr,
    quantity_spread,
    amount_mean,
    amount_deviation,
    amount_median,
    amount_spread
    {%- for name, rule in statistical_rules().items() %}
    {%- for side in ('lower', 'upper') %},
    case when is_judged and {{ rule.spread }} > 0 then round({{ rule[side] }}, 6) end as {{ name }}_{{ side }}
    {%- endfor %}
    {%- endfor %}
from joined
