with landed as (
    {{ landed_versions('dw_a', 'engagement_score') }}
)

select
    user_id,
    scored_on,
    engagement_score,
    model_version,
    landed_on
from landed
