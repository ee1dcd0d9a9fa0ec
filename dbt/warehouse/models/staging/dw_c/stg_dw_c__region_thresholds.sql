with landed as (
    {{ landed_versions('dw_c', 'region_thresholds') }}
)

select
    region_code,
    low_engagement_score,
    high_engagement_score,
    landed_on
from landed
