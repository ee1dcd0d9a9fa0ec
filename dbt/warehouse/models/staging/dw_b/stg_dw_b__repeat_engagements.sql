with landed as (
    {{ landed_versions('dw_b', 'repeat_engagements') }}
)

select
    engagement_id,
    user_id,
    engaged_at,
    {{ business_date('engaged_at') }} as engaged_on,
    engagement_type,
    channel,
    landed_on
from landed
