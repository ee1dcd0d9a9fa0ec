{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='order_id', meta={'bounded': 'ordered_on'}) }}

with {{ touched_orders() }}

known as (
    {{ known_rows('shop', 'orders', stored=(this if is_incremental() else none), group_key='order_id', since=since_touched()) | indent(4) }}
),

orders as (
    select known.*, {{ business_date('ordered_at') }} as ordered_on from known
)

{{ with_touched('orders', 'order_id', [
    'order_id', 'customer_id', 'ordered_at', 'ordered_on', 'status', 'approved_at', 'shipped_at', 'delivered_at', 'promised_at', 'channel',
    'currency_code', 'updated_at', 'is_deleted', 'landed_on',
]) }}
