{{ config(materialized='table') }}

{%- set rules = statistical_rules() %}
{%- set expected = "cast(round(quantity * unit_price, 2) as decimal(18,2))" %}

with judged as (
    select
        items.order_id,
        items.line_id,
        items.product_id,
        items.ordered_on,
        items.landed_on,
        cast(items.quantity as double) as quantity,
        cast({{ line_amount() }} as double) as amount,
        cast({{ expected }} as double) as expected_amount,
        cast(items.unit_price as double) as unit_price,
        statistics.quantity_q1,
        statistics.quantity_median,
        statistics.quantity_q3,
        statistics.quantity_spread,
        statistics.amount_mean,
        statistics.amount_deviation,
        statistics.amount_median,
        statistics.amount_spread,
        coalesce(statistics.is_judged and items.line_type = 'sale', false) as is_judged,
        items.line_type <> 'removed' and abs(items.total_amount - {{ expected }}) > {{ var('detection').cents }} as is_mismatch,
        items.line_type <> 'removed' and items.unit_price < 0 as is_negative_price,
        items.line_type <> 'removed' and items.total_amount is null and items.unit_price is null as is_unpriced,
        items.line_type <> 'removed' and items.order_status is null as is_orphan,
        items.line_type <> 'removed' and items.product_id is not null and items.product_key = '{{ unknown_member() }}' as is_unknown_product
    from {{ ref('fact_order_items') }} as items
    left join {{ ref('int_line_statistics') }} as statistics on items.product_id = statistics.product_id
),

odd as (
    select * from judged
    where is_mismatch or is_negative_price or is_unpriced or is_orphan or is_unknown_product
        {%- for rule in rules.values() %}
        or ({{ breaks(rule) }})
        {%- endfor %}
)

{%- for name, rule in rules.items() %}
select
    '{{ name }}' as rule, '{{ rule.column }}' as column_name, order_id, line_id, product_id, ordered_on, landed_on,
    {{ rule.observed }} as observed, {{ rule.lower }} as lower_bound, {{ rule.upper }} as upper_bound, round({{ rule.score }}, 6) as score
from odd
where {{ breaks(rule) }}
union all
{%- endfor %}
select
    'total_mismatch' as rule, 'total_amount' as column_name, order_id, line_id, product_id, ordered_on, landed_on,
    amount as observed, expected_amount as lower_bound, expected_amount as upper_bound, round(amount - expected_amount, 6) as score
from odd
where is_mismatch
{%- for name, (column, flag, observed) in {
    'negative_price': ('unit_price', 'is_negative_price', 'unit_price'),
    'no_amount': ('total_amount', 'is_unpriced', 'cast(null as double)'),
    'unknown_order': ('order_id', 'is_orphan', 'cast(null as double)'),
    'unknown_product': ('product_id', 'is_unknown_product', 'cast(null as double)'),
}.items() %}
union all
select
    '{{ name }}' as rule, '{{ column }}' as column_name, order_id, line_id, product_id, ordered_on, landed_on,
    {{ observed }} as observed, {{ '0' if name == 'negative_price' else 'cast(null as double)' }} as lower_bound, cast(null as double) as upper_bound, cast(null as double) as score
from odd
where {{ flag }}
{%- endfor %}
