{%- set member_tables = {
    'dw_a': ['engagement_score', 'feature_adoption', 'retention_action', 'user_activity'],
    'dw_b': ['issue_tickets', 'product_support_usage', 'repeat_engagements', 'service_requests', 'support_calls', 'support_chats'],
} %}

{%- set day = newest_day() %}
{%- set is_unknown_region -%}
    region_code is not null and region_code not in (
        select region_code from {{ ref('int_regions_known') }}
        where has_metadata and state_on = (select max(state_on) from {{ ref('int_state_days') }})
    )
{%- endset %}

with named as (
    {% for source_name, tables in member_tables.items() -%}
    {%- set is_last_source = loop.last -%}
    {%- for table_name in tables -%}
    select user_id from ({{ effective_rows(source_name, table_name, '= ' ~ day) }}) as {{ table_name }}
    {{ 'union all' if not (loop.last and is_last_source) }}
    {% endfor -%}
    {%- endfor %}
),

unknown as (
    select distinct user_id from named
    where not exists (select 1 from {{ ref('loyalty_master') }} as members where members.user_id = named.user_id)
),

strangers as (
    {% for source_name, tables in member_tables.items() -%}
    {%- set is_last_source = loop.last -%}
    {%- for table_name in tables -%}
    select '{{ table_name }}' as table_name, user_id from (
        {{ winners_where(source_name, table_name, day, 'user_id in (select user_id from unknown)') }}
    ) as {{ table_name }}
    {{ 'union all' if not (loop.last and is_last_source) }}
    {% endfor -%}
    {%- endfor %}
),

left_users as (
    select user_id from {{ ref('loyalty_history') }}
    where is_deleted and {{ in_force(day, 'valid_from', 'valid_to') }}
),

users as (
    select
        strangers.table_name,
        case when left_users.user_id is null then 'unknown_user' else 'left_user' end as reason,
        count(*) as row_count,
        count(distinct strangers.user_id) as member_count
    from strangers
    left join left_users on strangers.user_id = left_users.user_id
    group by 1, 2
),

regions as (
    select 'user_profile' as table_name, 'unknown_region' as reason, count(*) as row_count, count(distinct user_id) as member_count
    from ({{ winners_where('dw_a', 'user_profile', day, is_unknown_region) }}) as rows_of_day
)

select
    {{ day }} as snapshot_date,
    table_name,
    reason,
    cast(row_count as bigint) as row_count,
    cast(member_count as bigint) as member_count
from (select * from users union all select * from regions) as unmatched
where row_count > 0
