with members as (
    select snapshot_date, user_id, region_code, count(*) over (partition by region_code) as region_user_count
    from {{ ref('loyalty_master') }}
)

select
    members.snapshot_date,
    members.region_code,
    features.module,
    features.feature,
    cast(count(*) as bigint) as user_count,
    cast(members.region_user_count as bigint) as region_user_count,
    cast(round(cast(count(*) as double) / members.region_user_count, 4) as decimal(5,4)) as user_share,
    cast(sum(features.usage_count) as bigint) as usage_count,
    min(features.first_used_on) as first_used_on,
    max(features.last_used_on) as last_used_on
from members
inner join {{ ref('int_feature_adoption_known') }} as features on members.user_id = features.user_id
where not features.is_deleted
group by members.snapshot_date, members.region_code, members.region_user_count, features.module, features.feature
