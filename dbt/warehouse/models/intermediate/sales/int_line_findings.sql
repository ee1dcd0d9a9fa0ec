{{ config(materialized='table') }}

{%- set rules = statistical_rules() %}
{%- set expected = "cast(round(quantity * unit_price, 2) as decimal(18,2))" %}
{%- set keys = {
    'negative_price': ('unit_price', 'unit_price < 0', 'unit_price', '0'),
    'no_amount': ('total_amount', 'amount is null', 'cast(null as double)', 'cast(null as double)'),
    'unknown_order': ('order_id', 'order_status is null', 'cast(null as double)', 'cast(null as double)'),
    'unknown_product': ('product_id', "product_id is not null and product_key = '" ~ unknown_member() ~ "'", 'cast(null as double)', 'cast(null as double)'),
} %}

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

odd as (
    select lines.*, {% for name in rules %}statistics.{{ name }}_lower, statistics.{{ name }}_upper, {% endfor %}
        statistics.quantity_median, statistics.quantity_iqr, statistics.quantity_spread, statistics.amount_mean, statistics.amount_deviation,
        statistics.amount_median, statistics.amount_spread
    from lines
    left join {{ ref('int_line_statistics') }} as statistics on lines.product_id = statistics.product_id
    where is_mismatch
        {%- for column, condition, observed, bound in keys.values() %}
        or {{ condition | replace('product_id', 'lines.product_id') }}
        {%- endfor %}
        {%- for name, rule in rules.items() %}
        or ({{ breaks(name, rule) }})
        {%- endfor %}
)

{%- for name, rule in rules.items() %}
{%- set spread = 'quantity_iqr' if name == 'quantity_iqr' else rule.spread %}
select
    '{{ name }}' as rule, '{{ rule.column }}' as column_name, order_id, line_id, product_id, ordered_on, landed_on,
    {{ rule.observed }} as observed, {{ name }}_lower as lower_bound, {{ name }}_upper as upper_bound,
    round(({{ rule.observed }} - {{ rule.centre }}) / nullif({{ spread }}, 0), 6) as score
from odd
where {{ breaks(name, rule) }}
union all
{%- endfor %}
select
    'total_mismatch' as rule, 'total_amount' as column_name, order_id, line_id, product_id, ordered_on, landed_on,
    amount as observed, expected_amount as lower_bound, expected_amount as upper_bound, round(amount - expected_amount, 6) as score
from odd
where is_mismatch
{%- for name, (column, condition, observed, bound) in keys.items() %}
union all
select
    '{{ name }}' as rule, '{{ column }}' as column_name, order_id, line_id, product_id, ordered_on, landed_on,
    {{ observed }} as observed, {{ bound }} as lower_bound, cast(null as double) as upper_bound, cast(null as double) as score
from odd
where {{ condition }}
{%- endfor %}
