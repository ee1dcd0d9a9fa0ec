-- One business day, written by hand for DuckDB: what a good engineer would write who knows that days come once and in order,
-- that an event is sent again within four days or never, and that nothing is ever restated. {day} is the date; the tables hold
-- the state of the day before; schema `hand` what they keep besides: totals, actions, adoption.

-- 1. Events of the day: first arrival only, with the business date they count for.
create or replace temp table fresh as
select user_id, activity_on,
    count(*) as row_count,
    sum(logins) as login_count, sum(purchases) as purchase_count, sum(feedback) as feedback_count, sum(amount) as purchase_amount,
    sum(calls) as support_call_count, sum(chats) as support_chat_count, sum(tickets) as ticket_count, sum(open_tickets) as open_ticket_count,
    sum(requests) as service_request_count, sum(open_requests) as open_service_request_count, sum(helps) as help_view_count,
    sum(repeats) as repeat_engagement_count, sum(actions) as retention_action_count, sum(scores) as score_count, sum(points) as score_points
from (
    select user_id, cast(occurred_at as date) as activity_on, if(activity_type = 'login', 1, 0) as logins, if(activity_type = 'purchase', 1, 0) as purchases,
        if(activity_type = 'feedback', 1, 0) as feedback, if(activity_type = 'purchase', coalesce(purchase_amount, 0), 0) as amount, 0 as calls, 0 as chats,
        0 as tickets, 0 as open_tickets, 0 as requests, 0 as open_requests, 0 as helps, 0 as repeats, 0 as actions, 0 as scores, cast(0 as decimal(5,2)) as points
    from raw.user_activity where _as_of = {day}
        and activity_id not in (select activity_id from raw.user_activity where _as_of between {day} - 4 and {day} - 1)
    union all by name
    select user_id, scored_on as activity_on, 1 as scores, engagement_score as points from raw.engagement_score where _as_of = {day}
    union all by name
    select user_id, cast(started_at as date) as activity_on, 1 as calls from raw.support_calls where _as_of = {day}
        and call_id not in (select call_id from raw.support_calls where _as_of between {day} - 4 and {day} - 1)
    union all by name
    select user_id, cast(started_at as date) as activity_on, 1 as chats from raw.support_chats where _as_of = {day}
        and chat_id not in (select chat_id from raw.support_chats where _as_of between {day} - 4 and {day} - 1)
    union all by name
    select user_id, cast(opened_at as date) as activity_on, 1 as tickets, if(status in ('open', 'pending'), 1, 0) as open_tickets
    from raw.issue_tickets where _as_of = {day}
        and ticket_id not in (select ticket_id from raw.issue_tickets where _as_of between {day} - 4 and {day} - 1)
    union all by name
    select user_id, cast(requested_at as date) as activity_on, 1 as requests, if(status in ('open', 'in_progress'), 1, 0) as open_requests
    from raw.service_requests where _as_of = {day}
        and request_id not in (select request_id from raw.service_requests where _as_of between {day} - 4 and {day} - 1)
    union all by name
    select user_id, cast(viewed_at as date) as activity_on, 1 as helps from raw.product_support_usage where _as_of = {day}
        and usage_id not in (select usage_id from raw.product_support_usage where _as_of between {day} - 4 and {day} - 1)
    union all by name
    select user_id, cast(engaged_at as date) as activity_on, 1 as repeats from raw.repeat_engagements where _as_of = {day}
        and engagement_id not in (select engagement_id from raw.repeat_engagements where _as_of between {day} - 4 and {day} - 1)
    union all by name
    select user_id, cast(acted_at as date) as activity_on, 1 as actions from raw.retention_action where _as_of = {day}
        and action_id not in (select action_id from raw.retention_action where _as_of between {day} - 4 and {day} - 1)
)
group by user_id, activity_on;

-- 2. Features: the newest state of each, and how the number of features per user and first day changed.
create or replace temp table used as
select user_id, module, feature, cast(first_used_at as date) as first_used_on, cast(last_used_at as date) as last_used_on, coalesce(usage_count, 0) as usage_count, last_used_at
from raw.feature_adoption where _as_of = {day};
create or replace temp table features as
select user_id, activity_on, sum(rows) as row_count, sum(rows) as feature_count
from (
    select n.user_id, n.first_used_on as activity_on, 1 as rows from used as n
    left join hand.adoption as o using (user_id, module, feature) where o.user_id is null or n.last_used_at >= o.last_used_at
    union all
    select o.user_id, o.first_used_on, -1 from used as n
    inner join hand.adoption as o using (user_id, module, feature) where n.last_used_at >= o.last_used_at
)
group by all;
delete from hand.adoption using used as n
where adoption.user_id = n.user_id and adoption.module = n.module and adoption.feature = n.feature and n.last_used_at >= adoption.last_used_at;
insert into hand.adoption select n.* from used as n anti join hand.adoption using (user_id, module, feature);

-- 3. The day's rows of activity.
create or replace temp table today as
select user_id, activity_on, {day} as landed_on, {sums}
from (select * from fresh union all by name select * from features)
group by user_id, activity_on
having {any};
insert into marts.user_daily_activity by name select * from today;

-- 4. Running totals and latest actions.
create or replace temp table step as
select user_id, {total_sums}, max(if(login_count + purchase_count + feedback_count > 0, activity_on, null)) as last_activity_on,
    max(if(score_count > 0, activity_on, null)) as scored_on, max_by(score_points, activity_on) filter (where score_count > 0) as engagement_score
from today group by user_id;
create or replace table hand.totals as
select coalesce(s.user_id, t.user_id) as user_id, {added},
    greatest(t.last_activity_on, s.last_activity_on) as last_activity_on,
    if(s.scored_on >= coalesce(t.scored_on, s.scored_on), s.scored_on, t.scored_on) as scored_on,
    if(s.scored_on >= coalesce(t.scored_on, s.scored_on), s.engagement_score, t.engagement_score) as engagement_score
from hand.totals as t full outer join step as s on t.user_id = s.user_id;
create or replace temp table acted as
select user_id, max_by(action_type, (acted_at, action_id)) as action_type, max(acted_at) as acted_at, max_by(outcome, (acted_at, action_id)) as outcome
from raw.retention_action where _as_of = {day} group by user_id;
delete from hand.actions using acted as n where actions.user_id = n.user_id and n.acted_at >= actions.acted_at;
insert into hand.actions select n.* from acted as n anti join hand.actions using (user_id);

-- 5. What holds today, against what is open in history.
create or replace temp table state as
select p.user_id, p.email_hash, p.phone_hash, p.birth_year, lower(p.gender) as gender, lower(p.account_status) as account_status, lower(p.tier) as tier, p.region_code,
    r.region_name, r.country_code, p.signed_up_on, p.marketing_consent, p.support_consent, h.low_engagement_score, h.high_engagement_score, true as has_profile,
    {counts}, t.last_activity_on, a.action_type as last_retention_action_type, cast(a.acted_at as date) as last_retention_action_on, a.outcome as last_retention_outcome,
    t.engagement_score, t.scored_on,
    case when t.engagement_score is null or h.low_engagement_score is null then 'unknown' when t.engagement_score >= h.high_engagement_score then 'high'
        when t.engagement_score <= h.low_engagement_score then 'low' else 'medium' end as engagement_band
from (select * from raw.user_profile where _as_of = {profile_day}) as p
left join (select * from raw.region_metadata where _as_of = {day}) as r on p.region_code = r.region_code
left join (select * from raw.region_thresholds where _as_of = {day}) as h on p.region_code = h.region_code
left join hand.totals as t on p.user_id = t.user_id
left join hand.actions as a on p.user_id = a.user_id;
create or replace temp table changed as
select s.* from state as s
left join (select * from marts.loyalty_history where valid_to is null and not is_deleted) as h on s.user_id = h.user_id
where h.user_id is null or {differs};
create or replace temp table gone as
select h.* from marts.loyalty_history as h anti join state as s on h.user_id = s.user_id where h.valid_to is null and not h.is_deleted;
update marts.loyalty_history set valid_to = {day}
where valid_to is null and user_id in (select user_id from changed union all select user_id from gone);
insert into marts.loyalty_history by name select *, false as is_deleted, {day} as valid_from, cast(null as date) as valid_to from changed;
insert into marts.loyalty_history by name select * replace (true as is_deleted, {day} as valid_from) from gone;

-- 6. The master: what is open, with the measures over the last 7, 30 and 90 days.
create or replace table hand.master as
with windows as (
    select user_id, {windows},
        sum(if(o > -30, score_count, 0)) as n, sum(if(o > -30, score_count * o, 0)) as x, sum(if(o > -30, score_count * o * o, 0)) as xx,
        cast(sum(if(o > -30, score_points * 100, 0)) as bigint) as y, cast(sum(if(o > -30, score_points * 100 * o, 0)) as bigint) as xy
    from (select *, activity_on - {day} as o from marts.user_daily_activity where activity_on > {day} - 90 and activity_on <= {day})
    group by user_id
)
select {day} as snapshot_date, s.*, {window_columns}, '{present}' as sources_present, '' as sources_missing, {oldest} as oldest_source_on,
    cast(round(cast((n * xy - x * y) * 100 as double) / nullif(cast(n * xx - x * x as double), 0)) / 10000 as decimal(9,4)) as engagement_score_trend_30d
from state as s left join windows as w on s.user_id = w.user_id;

-- 7. Features by region, rows of unknown members, and who entered and left the segments.
create or replace table hand.by_region as
with members as (select user_id, region_code, count(*) over (partition by region_code) as region_user_count from hand.master)
select {day} as snapshot_date, m.region_code, f.module, f.feature, count(*) as user_count, m.region_user_count,
    cast(round(cast(count(*) as double) / m.region_user_count, 4) as decimal(5,4)) as user_share, cast(sum(f.usage_count) as bigint) as usage_count,
    min(f.first_used_on) as first_used_on, max(f.last_used_on) as last_used_on
from members as m inner join hand.adoption as f on m.user_id = f.user_id
group by m.region_code, m.region_user_count, f.module, f.feature;
create or replace table hand.unmatched as
select {day} as snapshot_date, table_name, 'unknown_user' as reason, count(*) as row_count, count(distinct user_id) as member_count
from ({named}) as n anti join hand.master as m on n.user_id = m.user_id
group by table_name;
create or replace temp table inside as
select 'highly_engaged' as segment, user_id from hand.master
where account_status = 'active' and engagement_band = 'high' and last_activity_on > {day} - 30
union all
select 'low_engagement', user_id from hand.master
where account_status = 'active' and (engagement_band = 'low' or coalesce(last_activity_on, signed_up_on) <= {day} - 30);
update segments.membership set left_on = {day} where left_on is null and (segment, user_id) not in (select (segment, user_id) from inside);
insert into segments.membership select i.segment, i.user_id, {day} as entered_on, cast(null as date) as left_on
from inside as i anti join (select * from segments.membership where left_on is null) as m using (segment, user_id);
