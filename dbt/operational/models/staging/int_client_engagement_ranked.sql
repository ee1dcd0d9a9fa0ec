{#-
    Rows that can be used, ranked within their client, project and month: the one that stands furthest down, in the last tab by name, is the
    first. People add a corrected row below the one that it corrects.
#}
select
    *,
    row_number() over (
        partition by client_id, project_code, date_trunc('month', period_starts_on)
        order by tab_name collate "C" desc nulls last, row_number desc
    ) as rank_from_below
from {{ ref('int_client_engagement_mapped') }}
where problems is null
