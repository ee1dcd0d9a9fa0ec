with landed as (
    {{ landed_versions('shop', 'products') }}
)

select
    product_id,
    product_name,
    category_id,
    brand,
    list_price,
    updated_at,
    landed_on,
    is_deleted
from landed
