with landed as (
    {{ landed_versions('dw_b', 'product_support_usage') }}
)

select
    usage_id,
    user_id,
    viewed_at,
    {{ business_date('viewed_at') }} as viewed_on,
    content_type,
    content_id,
    reading_seconds,
    landed_on
from landed
