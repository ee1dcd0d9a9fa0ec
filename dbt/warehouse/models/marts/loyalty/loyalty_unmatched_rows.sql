{%- set member_tables = {
    'engagement_score': ref('stg_dw_a__engagement_score'),
    'feature_adoption': ref('stg_dw_a__feature_adoption'),
    'issue_tickets': ref('stg_dw_b__issue_tickets'),
    'product_support_usage': ref('stg_dw_b__product_support_usage'),
    'repeat_engagements': ref('stg_dw_b__repeat_engagements'),
    'retention_action': ref('stg_dw_a__retention_action'),
    'service_requests': ref('stg_dw_b__service_requests'),
    'support_calls': ref('stg_dw_b__support_calls'),
    'support_chats': ref('stg_dw_b__support_chats'),
    'user_activity': ref('stg_dw_a__user_activity'),
} %}

with named as (
    {% for table_name, relation in member_tables.items() -%}
    select '{{ table_name }}' as table_name, user_id, cast(count(*) as bigint) as row_count
    from {{ relation }}
    where landed_on = {{ newest_day() }}
    group by user_id
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

left_users as (
    select user_id from {{ ref('loyalty_history') }}
    where is_deleted and {{ in_force(newest_day(), 'valid_from', 'valid_to') }}
),

users as (
    select
        named.table_name,
        case when left_users.user_id is null then 'unknown_user' else 'left_user' end as reason,
        sum(named.row_count) as row_count,
        count(*) as member_count
    from named
    left join {{ ref('loyalty_master') }} as members on named.user_id = members.user_id
    left join left_users on named.user_id = left_users.user_id
    where members.user_id is null
    group by 1, 2
),

regions as (
    select 'user_profile' as table_name, 'unknown_region' as reason, count(*) as row_count, count(distinct user_id) as member_count
    from {{ ref('stg_dw_a__user_profile') }}
    where landed_on = {{ newest_day() }}
        and region_code is not null
        and region_code not in (
            select region_code from {{ ref('int_regions_known') }}
            where has_metadata and state_on = (select max(state_on) from {{ ref('int_state_days') }})
        )
)

select
    {{ newest_day() }} as snapshot_date,
    table_name,
    reason,
    cast(row_count as bigint) as row_count,
    cast(member_count as bigint) as member_count
from (select * from users union all select * from regions) as unmatched
where row_count > 0
