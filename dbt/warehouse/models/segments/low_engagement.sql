-- A member who has not been there for 30 days cannot have been idle for 30 days yet.
select
    snapshot_date,
    user_id,
    email_hash,
    phone_hash,
    tier,
    region_code,
    region_name,
    engagement_band,
    engagement_score,
    scored_on,
    last_activity_on,
    last_retention_action_type,
    last_retention_action_on,
    support_consent
from {{ ref('loyalty_history_daily') }}
where account_status = 'active'
    and (engagement_band = 'low' or coalesce(last_activity_on, signed_up_on) <= {{ add_days('snapshot_date', -30) }})
