with landed as (
    {{ landed_versions('dw_b', 'issue_tickets') }}
)

select
    ticket_id,
    user_id,
    opened_at,
    {{ business_date('opened_at') }} as opened_on,
    updated_at,
    status,
    priority,
    category,
    landed_on,
    is_deleted
from landed
