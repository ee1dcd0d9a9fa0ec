select
    {{ newest_day() }} as as_of,
    client_id,
    project_code,
    month_starts_on,
    reason,
    engagement_level,
    session_count,
    spend_amount
from {{ ref('int_engagement_matched') }}
where reason is not null
