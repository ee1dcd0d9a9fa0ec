{{ config(materialized='table') }}

{%- set rules, outcomes = var('uplift'), uplift_outcomes() %}

with outcomes as (
    {% for name, outcome in outcomes.items() -%}
    select
        segment, arm, '{{ name }}' as outcome, '{{ outcome.kind }}' as kind,
        case when is_window_over then 1 else 0 end as counts, cast({{ outcome.value }} as decimal(18, 2)) as value
    from {{ ref('segment_outcomes') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

sums as (
    select
        outcomes.segment, outcomes.outcome, outcomes.kind, holdouts.holdout_pct, holdouts.since
        {%- for arm in ['treated', 'held_out'] %},
        cast(sum(case when arm = '{{ arm }}' then counts else 0 end) as bigint) as {{ arm }}_members,
        cast(sum(case when arm = '{{ arm }}' then 1 - counts else 0 end) as bigint) as {{ arm }}_waiting,
        cast(sum(case when arm = '{{ arm }}' then counts * value else 0 end) as decimal(38, 2)) as {{ arm }}_total,
        cast(sum(case when arm = '{{ arm }}' then counts * value * value else 0 end) as decimal(38, 4)) as {{ arm }}_squares
        {%- endfor %}
    from outcomes
    inner join {{ source('ops', 'holdouts') }} as holdouts on outcomes.segment = holdouts.segment
    group by outcomes.segment, outcomes.outcome, outcomes.kind, holdouts.holdout_pct, holdouts.since
),

means as (
    select
        *,
        {{ ratio('100 - holdout_pct', 'holdout_pct') }} as arms_ratio
        {%- for arm in ['treated', 'held_out'] %},
        nullif(cast({{ arm }}_members as double), 0) as {{ arm }}_n,
        {{ ratio(arm ~ '_total', arm ~ '_members') }} as {{ arm }}_mean,
        {{ variance_from(arm ~ '_total', arm ~ '_squares', arm ~ '_members') }} as {{ arm }}_variance
        {%- endfor %}
    from sums
),

{{ compared_arms('means', rules) }}

select
    segment,
    outcome,
    kind,
    {{ newest_day() }} as snapshot_date,
    since as held_out_since,
    holdout_pct,
    treated_members,
    held_out_members,
    cast(treated_waiting + held_out_waiting as bigint) as waiting_members,
    {{ as_figure('treated_mean') }} as treated_mean,
    {{ as_figure('held_out_mean') }} as held_out_mean,
    difference,
    difference_lower,
    difference_upper,
    {{ as_figure(ratio('difference', 'held_out_mean')) }} as relative_uplift,
    {{ uplift_status(rules) }} as status,
    {{ uplift_reason(rules) }} as reason,
    {{ still_needed(rules, 'treated', 'arms_ratio') }} as treated_still_needed,
    {{ still_needed(rules, 'held_out', '1') }} as held_out_still_needed
from judged
