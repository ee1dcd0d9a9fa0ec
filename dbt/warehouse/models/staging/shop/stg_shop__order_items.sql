with landed as (
    {{ landed_versions('shop', 'order_items') }}
)

select
    order_id,
    line_id,
    product_id,
    quantity,
    unit_price,
    total_amount,
    status,
    updated_at,
    landed_on,
    is_deleted
from landed
