{{ config(materialized='incremental', incremental_strategy='replace_days') }}

with versions as (
    {{ new_versions('dw_a', 'feature_adoption') }}
)

select
    user_id,
    module,
    feature,
    {{ business_date('first_used_at') }} as first_used_on,
    {{ business_date('last_used_at') }} as last_used_on,
    usage_count,
    is_deleted,
    landed_on
from versions
