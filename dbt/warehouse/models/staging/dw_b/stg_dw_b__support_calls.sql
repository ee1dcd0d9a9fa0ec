with landed as (
    {{ landed_versions('dw_b', 'support_calls') }}
)

select
    call_id,
    user_id,
    started_at,
    {{ business_date('started_at') }} as started_on,
    duration_seconds,
    topic,
    is_resolved,
    landed_on
from landed
