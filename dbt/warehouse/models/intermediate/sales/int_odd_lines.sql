{{ config(materialized='table') }}

{%- set rules = statistical_rules() %}
{%- set expected = "cast(round(quantity * unit_price, 2) as decimal(18,2))" %}

with lines as (
    select
        order_id,
        line_id,
        product_id,
        product_key,
        order_status,
        ordered_on,
        landed_on,
        line_type = 'sale' as is_sale,
        cast(quantity as double) as quantity,
        cast({{ line_amount() }} as double) as amount,
        cast(unit_price as double) as unit_price,
        cast({{ expected }} as double) as expected_amount,
        total_amount is not null and abs(total_amount - {{ expected }}) > {{ var('detection').cents }} as is_mismatch
    from {{ ref('fact_order_items') }}
    where line_type <> 'removed'
),

judged as (
    select
        lines.*
        {%- for name, rule in rules.items() %},
        coalesce({{ breaks(name, rule) }}, false) as breaks_{{ name }}
        {%- endfor %}
        {%- for name, rule in line_rules().items() %},
        coalesce({{ rule.condition | replace('product_id', 'lines.product_id') }}, false) as breaks_{{ name }}
        {%- endfor %}
    from lines
    left join {{ ref('int_line_statistics') }} as statistics on lines.product_id = statistics.product_id
)

select
    order_id,
    line_id,
    product_id,
    ordered_on,
    landed_on,
    quantity,
    amount,
    unit_price,
    expected_amount
    {%- for name in (rules.keys() | list) + (line_rules().keys() | list) %},
    breaks_{{ name }}
    {%- endfor %}
from judged
where
    {%- for name in (rules.keys() | list) + (line_rules().keys() | list) %}
    {{ 'or ' if not loop.first }}breaks_{{ name }}
    {%- endfor %}
