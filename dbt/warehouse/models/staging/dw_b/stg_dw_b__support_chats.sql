with landed as (
    {{ landed_versions('dw_b', 'support_chats') }}
)

select
    chat_id,
    user_id,
    started_at,
    {{ business_date('started_at') }} as started_on,
    message_count,
    satisfaction_rating,
    landed_on
from landed
