select
    snapshot_date,
    user_id,
    email_hash,
    tier,
    region_code,
    region_name,
    engagement_score,
    scored_on,
    last_activity_on,
    marketing_consent
from {{ ref('loyalty_history_daily') }}
where account_status = 'active'
    and engagement_band = 'high'
    and last_activity_on > {{ add_days('snapshot_date', -30) }}
