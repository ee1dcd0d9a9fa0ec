-- Grain: one row per member and state day of the run. The population is a choice of the deployment (var population).
{%- set totals = ref('int_user_totals_summed') %}

with days as (
    select * from {{ ref('int_state_days') }}
),

profiles as (
    select days.state_on, profiles.*
    from days
    inner join {{ ref('stg_dw_a__user_profile') }} as profiles on days.profile_landed_on = profiles.landed_on
    where profiles.landed_on >= {{ visible_since('user_profile') }}
)
{%- if var('population') == 'union' %},

appeared as (
    select days.state_on, totals.user_id
    from {{ totals }} as totals
    inner join days on {{ in_force('days.state_on', 'totals.step_on', 'totals.next_step_on') }}
    where totals.row_count > 0
)
{%- endif %}

select
    {% if var('population') == 'union' -%}
    coalesce(profiles.state_on, appeared.state_on) as state_on,
    coalesce(profiles.user_id, appeared.user_id) as user_id,
    profiles.user_id is not null as has_profile,
    {%- else -%}
    profiles.state_on,
    profiles.user_id,
    true as has_profile,
    {%- endif %}
    profiles.email_hash,
    profiles.phone_hash,
    profiles.birth_year,
    profiles.gender,
    profiles.account_status,
    profiles.tier,
    profiles.region_code,
    profiles.signed_up_on,
    profiles.marketing_consent,
    profiles.support_consent
from profiles
{%- if var('population') == 'union' %}
full outer join appeared on profiles.state_on = appeared.state_on and profiles.user_id = appeared.user_id
{%- endif %}
