-- Which clients are slipping away in which projects: lapsed, about to lapse within a month, or less engaged than before?
-- One row per client and project, the greatest spend of the last six whole months first.
select
    client_id,
    client_name,
    project_code,
    project_name,
    case
        when is_lapsed then 'lapsed'
        when lapses_on <= as_of + 30 then 'about to lapse'
        when level_change = 'lowered' then 'level lowered'
        else 'fewer sessions'
    end as signal,
    engagement_level,
    level_before,
    recent_session_count,
    prior_session_count,
    recent_spend_amount,
    prior_spend_amount,
    currency_code,
    last_activity_on,
    lapses_on,
    months_without_sessions_count
from marts.customer_engagement_summary
where is_lapsed
    or lapses_on <= as_of + 30
    or level_change = 'lowered'
    or recent_session_count < prior_session_count
order by recent_spend_amount + prior_spend_amount desc nulls last, client_id, project_code
