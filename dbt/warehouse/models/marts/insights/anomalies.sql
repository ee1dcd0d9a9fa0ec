{#- Rules about rows that are not order lines: what fills the columns of a finding, those left out are null. #}
{%- set others = {
    'unknown_customer': ('orders', 'customer_id', {'order_id': 'order_id', 'customer_id': 'customer_id', 'ordered_on': 'ordered_on', 'landed_on': 'landed_on'}),
    'unknown_category': ('products', 'category_id', {'product_id': 'product_id', 'landed_on': 'landed_on'}),
    'daily_total': ('days', 'net_amount', {
        'ordered_on': 'day', 'landed_on': 'day', 'observed': 'observed', 'lower_bound': 'lower_bound', 'upper_bound': 'upper_bound', 'score': 'score',
    }),
} -%}
{%- set keys = ['order_id', 'line_id', 'product_id', 'customer_id', 'ordered_on', 'landed_on', 'observed', 'lower_bound', 'upper_bound', 'score'] -%}

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
{%- for rule, (relation, column, own) in others.items() %}
union all
select
    '{{ rule }}' as rule,
    '{{ 'daily_sales' if relation == 'days' else relation }}' as table_name,
    '{{ column }}' as column_name
    {%- for name in keys %},
    {{ name if own.get(name) == name else own.get(name, 'null') ~ ' as ' ~ name }}
    {%- endfor %}
from {{ relation }}
{%- endfor %}
