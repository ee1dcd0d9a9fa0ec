select
    {{ newest_day() }} as as_of,
    reason,
    cast(count(*) as bigint) as row_count,
    cast(count(distinct client_id) as bigint) as client_count,
    cast(count(distinct project_code) as bigint) as project_count,
    cast(coalesce(sum(session_count), 0) as bigint) as session_count,
    min(project_code) as first_project_code
from {{ ref('engagement_unmatched') }}
group by reason
