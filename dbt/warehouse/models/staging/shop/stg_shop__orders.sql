with landed as (
    {{ landed_versions('shop', 'orders') }}
)

select
    order_id,
    customer_id,
    ordered_at,
    {{ business_date('ordered_at') }} as ordered_on,
    status,
    approved_at,
    shipped_at,
    delivered_at,
    promised_at,
    channel,
    currency_code,
    updated_at,
    landed_on,
    is_deleted
from landed
