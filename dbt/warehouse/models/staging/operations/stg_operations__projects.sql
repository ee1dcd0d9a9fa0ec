with landed as (
    {{ landed_versions('operations', 'dim_project') }}
)

select
    project_code,
    project_name,
    client_segment,
    region,
    owner_team,
    status as project_status,
    started_on,
    ended_on,
    currency_code,
    budget_amount,
    landed_on
from landed
