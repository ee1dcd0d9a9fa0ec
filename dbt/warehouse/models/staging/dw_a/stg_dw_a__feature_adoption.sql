with landed as (
    {{ landed_versions('dw_a', 'feature_adoption') }}
)

select
    user_id,
    module,
    feature,
    first_used_at,
    {{ business_date('first_used_at') }} as first_used_on,
    last_used_at,
    {{ business_date('last_used_at') }} as last_used_on,
    usage_count,
    landed_on,
    is_deleted
from landed
