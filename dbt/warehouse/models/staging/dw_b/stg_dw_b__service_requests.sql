with landed as (
    {{ landed_versions('dw_b', 'service_requests') }}
)

select
    request_id,
    user_id,
    requested_at,
    {{ business_date('requested_at') }} as requested_on,
    updated_at,
    request_type,
    status,
    landed_on,
    is_deleted
from landed
