{%- set day = newest_day() %}

with months as (
    select
        monthly.*,
        {{ first_of_month(add_days('monthly.month_starts_on', 31)) }} as next_month_starts_on,
        monthly.month_starts_on > {{ day }} as is_future,
        projects.project_code is not null as is_matched,
        projects.started_on,
        projects.ended_on
    from {{ ref('customer_engagement_monthly') }} as monthly
    left join {{ ref('int_projects_known') }} as projects on monthly.project_code = projects.project_code
)

select
    *,
    case
        when not is_matched then 'unknown_project'
        when is_future then 'future_month'
        when next_month_starts_on <= started_on then 'before_start'
        when month_starts_on > ended_on then 'after_end'
    end as reason
from months
