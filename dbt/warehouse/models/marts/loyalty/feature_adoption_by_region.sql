with latest as (
    select
        user_id,
        module,
        feature,
        {{ value_at_greatest('first_used_on', 'landed_on') }} as first_used_on,
        {{ value_at_greatest('last_used_on', 'landed_on') }} as last_used_on,
        {{ value_at_greatest('coalesce(usage_count, 0)', 'landed_on') }} as usage_count,
        {{ value_at_greatest('is_deleted', 'landed_on') }} as is_deleted
    from {{ ref('int_feature_adoption_versions') }}
    where landed_on <= {{ as_of() }}
    group by user_id, module, feature
),

members as (
    select snapshot_date, user_id, region_code, count(*) over (partition by region_code) as region_user_count
    from {{ ref('loyalty_master') }}
)

select
    members.snapshot_date,
    members.region_code,
    latest.module,
    latest.feature,
    cast(count(*) as bigint) as user_count,
    cast(members.region_user_count as bigint) as region_user_count,
    cast(round(cast(count(*) as double) / members.region_user_count, 4) as decimal(5,4)) as user_share,
    cast(sum(latest.usage_count) as bigint) as usage_count,
    min(latest.first_used_on) as first_used_on,
    max(latest.last_used_on) as last_used_on
from members
inner join latest on members.user_id = latest.user_id
where not latest.is_deleted
group by members.snapshot_date, members.region_code, members.region_user_count, latest.module, latest.feature
