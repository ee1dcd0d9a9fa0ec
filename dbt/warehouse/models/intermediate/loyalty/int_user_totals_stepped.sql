select
    totals.user_id,
    totals.step_on,
    totals.next_step_on,
    {%- for name in activity_measures() %}
    totals.{{ name }},
    {%- endfor %}
    case when totals.is_corrected then corrected.last_activity_on else totals.last_activity_on end as last_activity_on,
    totals.engagement_score,
    totals.scored_on
from {{ ref('int_user_totals_summed') }} as totals
left join {{ ref('int_last_activity_corrected') }} as corrected
    on totals.user_id = corrected.user_id and totals.step_on = corrected.step_on
