{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='order_id', meta={'bounded': 'ordered_on'}) }}

{%- set orders, items = ref('int_orders_known'), ref('fact_order_items') %}

with {{ touched_orders() }}

totals as (
    select
        order_id,
        max(landed_on) as lines_landed_on,
        {{- sum_measures() }}
    from {{ items }}
    {{ 'where (' ~ since_touched() ~ ') and order_id in (select order_id from touched)' if is_incremental() }}
    group by order_id
),

headers as (
    select
        orders.order_id,
        coalesce(customers.customer_key, '{{ unknown_member() }}') as customer_key,
        orders.customer_id,
        orders.ordered_at,
        orders.ordered_on,
        orders.status,
        orders.approved_at,
        orders.shipped_at,
        orders.delivered_at,
        orders.promised_at,
        orders.channel,
        orders.currency_code,
        {%- for name, (type, sql) in line_measures().items() %}
        coalesce(totals.{{ name }}, 0) as {{ name }},
        {%- endfor %}
        orders.is_deleted,
        orders.landed_on as order_landed_on,
        totals.lines_landed_on
    from {{ orders }} as orders
    left join totals on orders.order_id = totals.order_id
    left join {{ ref('dim_customers') }} as customers
        on orders.customer_id = customers.customer_id
        and orders.ordered_on >= customers.effective_from and orders.ordered_on < customers.effective_to
    {{ 'where ' ~ since_touched() | replace('ordered_on', 'orders.ordered_on') ~ ' and orders.order_id in (select order_id from touched)' if is_incremental() }}
)

{{ with_touched('headers', 'order_id', [
    'order_id', 'customer_key', 'customer_id', 'ordered_at', 'ordered_on', 'status', 'approved_at', 'shipped_at', 'delivered_at', 'promised_at',
    'channel', 'currency_code'] + (line_measures().keys() | list) + ['is_deleted', 'order_landed_on', 'lines_landed_on',
], order='ordered_on') }}
