{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{%- set sources = [
    ref('int_user_activity_changed'),
    ref('int_engagement_score_changed'),
    ref('int_feature_adoption_changed'),
    ref('int_retention_action_changed'),
    ref('int_support_calls_changed'),
    ref('int_support_chats_changed'),
    ref('int_issue_tickets_changed'),
    ref('int_service_requests_changed'),
    ref('int_product_support_usage_changed'),
    ref('int_repeat_engagements_changed'),
] %}

with changes as (
    {% for source in sources -%}
    select * from {{ source }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    user_id,
    activity_on,
    landed_on,
    {%- for name, type in activity_measures().items() %}
    cast(sum({{ name }}) as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from changes
group by user_id, activity_on, landed_on
having
    {%- for name in activity_measures() %}
    {{ 'or ' if not loop.first }}sum({{ name }}) <> 0
    {%- endfor %}
