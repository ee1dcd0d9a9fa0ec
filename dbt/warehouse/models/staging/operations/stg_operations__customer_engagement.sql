with landed as (
    {{ landed_versions('operations', 'customer_engagement') }}
)

select
    client_id,
    client_name,
    project_code,
    period_starts_on as month_starts_on,
    engagement_level,
    status,
    channel,
    session_count,
    spend_amount,
    last_contact_on,
    landed_on
from landed
