with days as (
    select * from {{ ref('int_state_days') }}
),

metadata as (
    select days.state_on, regions.region_code, regions.region_name, regions.country_code
    from days
    inner join {{ ref('stg_dw_c__region_metadata') }} as regions on days.region_landed_on = regions.landed_on
    where regions.landed_on >= {{ visible_since('region_metadata') }}
),

thresholds as (
    select days.state_on, thresholds.region_code, thresholds.low_engagement_score, thresholds.high_engagement_score
    from days
    inner join {{ ref('stg_dw_c__region_thresholds') }} as thresholds on days.threshold_landed_on = thresholds.landed_on
    where thresholds.landed_on >= {{ visible_since('region_thresholds') }}
)

select
    coalesce(metadata.state_on, thresholds.state_on) as state_on,
    coalesce(metadata.region_code, thresholds.region_code) as region_code,
    metadata.region_code is not null as has_metadata,
    metadata.region_name,
    metadata.country_code,
    thresholds.low_engagement_score,
    thresholds.high_engagement_score
from metadata
full outer join thresholds on metadata.state_on = thresholds.state_on and metadata.region_code = thresholds.region_code
