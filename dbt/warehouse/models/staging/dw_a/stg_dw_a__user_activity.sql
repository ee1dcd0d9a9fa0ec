with landed as (
    {{ landed_versions('dw_a', 'user_activity') }}
)

select
    activity_id,
    user_id,
    activity_type,
    occurred_at,
    {{ business_date('occurred_at') }} as occurred_on,
    channel,
    purchase_amount,
    currency_code,
    feedback_rating,
    landed_on
from landed
