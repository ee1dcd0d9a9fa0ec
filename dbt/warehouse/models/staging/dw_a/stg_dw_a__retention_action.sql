with landed as (
    {{ landed_versions('dw_a', 'retention_action') }}
)

select
    action_id,
    user_id,
    action_type,
    acted_at,
    {{ business_date('acted_at') }} as acted_on,
    outcome,
    landed_on
from landed
