{%- set key = ['user_id', 'module', 'feature'] %}
{{ config(materialized='incremental', incremental_strategy='carry', unique_key=key) }}

{%- set carried = carried_until() %}
{%- set facts = ['first_used_on', 'last_used_on', 'usage_count', 'is_deleted'] %}

with changed as (
    select
        user_id,
        module,
        feature,
        {{ business_date('first_used_at') }} as first_used_on,
        {{ business_date('last_used_at') }} as last_used_on,
        coalesce(usage_count, 0) as usage_count,
        is_deleted,
        landed_on
    from {{ ref('int_feature_adoption_versions') }}
    where sign > 0 and landed_on <= {{ as_of() }}
        {%- if carried %} and landed_on > {{ carried }} {%- endif %}
)

select
    {%- for name in key %}
    {{ name }},
    {%- endfor %}
    {%- for name in facts %}
    {{ value_at_greatest(name, 'landed_on') }} as {{ name }},
    {%- endfor %}
    {{ as_of() }} as known_on
from changed
group by {{ key | join(', ') }}
