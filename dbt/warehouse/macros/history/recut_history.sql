{#-
    Rest of a model that keeps half-open stretches of unchanged rows and re-cuts them for the days of a run. The model defines before it

        days    state_on, next_state_on       the days the run speaks for; next_state_on null for the last
        states  <key>, state_on, <tracked>    what holds on each of those days; no row: not there

    and is incremental by `recut`, with the same arguments in `meta.recut`. A stretch starts where what holds differs from what held up to
    that day. A key that is gone starts a stretch `is_deleted` that keeps the last known values (dropped unless keep_deleted). Stretches
    that start before the run's days are only ended anew; of those that start in them, and of the one that goes on after them, only what differs
    from the stored is written. `_change` tells the strategy what to do with a row: end, delete or insert.

    `changed_only`: what lands names the keys that changed, and says nothing of the others. The model defines before it, instead of
    days and states,

        versions    <key>, state_on, next_state_on, is_deleted, <tracked>    what landed in the run's days, one row per key and day
        touched     <key>                                                    keys whose stretches may change

    A key holds what landed last. The stored stretches of touched keys that start in or after the run's days are cut anew: a run goes on
    to the newest landed day.
-#}
{% macro recut_history(key, tracked, days='landed', starts='valid_from', ends='valid_to', keep_deleted=true, changed_only=false) -%}
{%- set bounds = recut_bounds(days, starts, ends) if not changed_only else {'since': first_day(), 'until': none} -%}
{%- set keys = key | join(', ') -%}
{%- set columns = (key + tracked) | join(', ') -%}
{%- set all_columns = columns ~ (', is_deleted' if keep_deleted else '') ~ ', ' ~ starts ~ ', ' ~ ends -%}
{#- In force when the run's days began, or ended just then: one condition on the end, so that an engine skips what ended long ago. -#}
{%- set before = starts ~ ' < ' ~ bounds.since ~ ' and (' ~ ends ~ ' is null or ' ~ ends ~ ' >= ' ~ bounds.since ~ ')' -%}
{%- set is_newest_day = is_incremental() and not bounds.until and bounds.since | trim == as_of() | trim -%}
{%- set of_touched = ' and (' ~ keys ~ ') in (select ' ~ keys ~ ' from touched)' if changed_only else '' -%}
fresh as (
    {%- if changed_only %}
    select {{ columns }}, state_on, next_state_on from versions where not is_deleted
    {%- else %}
    select
        {%- for name in key + tracked %} states.{{ name }}, {%- endfor %}
        days.state_on,
        coalesce(days.next_state_on, {{ bounds.until or 'cast(null as date)' }}) as next_state_on
    from states
    inner join days on states.state_on = days.state_on
    {%- endif %}
),

held as (
    {%- if is_incremental() and changed_only %}
    select
        {%- for name in key + tracked %} stored.{{ name }}, {%- endfor %}
        first_versions.state_on
    from {{ this }} as stored
    inner join (select {{ keys }}, min(state_on) as state_on from versions group by {{ keys }}) as first_versions
        on {{ same_key('stored', 'first_versions', key) }}
    where {{ before }} {{ 'and not is_deleted' if keep_deleted }}
    {%- elif is_incremental() %}
    select {{ columns }}, {{ bounds.since }} as state_on from {{ this }} where {{ before }} {{ 'and not is_deleted' if keep_deleted }}
    {%- endif %}
    {%- if is_incremental() and not is_newest_day %}
    union all
    {%- endif %}
    {%- if not is_newest_day %}
    select {{ columns }}, next_state_on as state_on from fresh where next_state_on is not null
    {%- endif %}
),

holds as (
    select {{ columns }}, state_on from fresh
    {%- if bounds.until %}
    union all
    select {{ columns }}, {{ bounds.until }} as state_on
    from {{ this }}
    where {{ in_force(bounds.until, starts, ends) }} {{ 'and not is_deleted' if keep_deleted }}
    {%- endif %}
),

turns as (
    select
        {%- for name in key %} coalesce(holds.{{ name }}, held.{{ name }}) as {{ name }}, {%- endfor %}
        {%- for name in tracked %}
        case when holds.state_on is null then held.{{ name }} else holds.{{ name }} end as {{ name }},
        {%- endfor %}
        holds.state_on is null as is_deleted,
        coalesce(holds.state_on, held.state_on) as {{ starts }}
    from holds
    full outer join held on {{ same_key('holds', 'held', key) }} and holds.state_on = held.state_on
    where holds.state_on is null or held.state_on is null
    {{- differs('holds', 'held', tracked) }}
),
{% if bounds.until %}
later as (
    select {{ keys }}, min(case when {{ starts }} > {{ bounds.until }} then {{ starts }} else {{ ends }} end) as turns_on
    from {{ this }}
    where {{ starts }} > {{ bounds.until }} or {{ ends }} > {{ bounds.until }}
    group by {{ keys }}
),
{% endif %}
stretches as (
    select
        turns.*,
        {%- if is_newest_day %}
        cast(null as date) as {{ ends }}
        {%- else %}
        coalesce(
            lead(turns.{{ starts }}) over (
                partition by {% for name in key %}turns.{{ name }}{{ ', ' if not loop.last }}{% endfor %} order by turns.{{ starts }}
            ),
            {{ 'later.turns_on' if bounds.until else 'null' }}
        ) as {{ ends }}
        {%- endif %}
    from turns
    {%- if bounds.until %}
    left join later on {{ same_key('turns', 'later', key) }}
    {%- endif %}
)
{%- if not is_incremental() %}

select {{ all_columns }} from stretches {{ 'where not is_deleted' if not keep_deleted }}
{%- else %},

earlier as (
    select {{ keys }}, {{ starts }}, {{ ends }} from {{ this }} where {{ before }}{{ of_touched }}
),

first_turns as (
    select {{ keys }}, min({{ starts }}) as turns_on from turns group by {{ keys }}
),

ended as (
    select
        {%- for name in key %} earlier.{{ name }}, {%- endfor %}
        earlier.{{ starts }},
        earlier.{{ ends }} as stored_end,
        {%- if bounds.until %}
        coalesce(first_turns.turns_on, later.turns_on) as {{ ends }}
        {%- else %}
        first_turns.turns_on as {{ ends }}
        {%- endif %}
    from earlier
    left join first_turns on {{ same_key('earlier', 'first_turns', key) }}
    {%- if bounds.until %}
    left join later on {{ same_key('earlier', 'later', key) }}
    {%- endif %}
),

stored as (
    select {{ all_columns }} from {{ this }}
    where {{ starts }} >= {{ bounds.since }}{{ of_touched }} {%- if bounds.until %} and {{ starts }} <= {{ bounds.until }} {%- endif %}
),

planned as (
    select {{ all_columns }} from stretches {{ 'where not is_deleted' if not keep_deleted }}
)
{%- set compared = tracked + (['is_deleted'] if keep_deleted else []) + [ends] %}

{% for fresh, other, change in (('planned', 'stored', 'insert'), ('stored', 'planned', 'delete')) -%}
select {% for name in key + tracked + (['is_deleted'] if keep_deleted else []) + [starts, ends] %}{{ fresh }}.{{ name }}, {% endfor %}'{{ change }}' as _change
from {{ fresh }}
left join {{ other }} on {{ same_key(fresh, other, key + [starts]) }}
where {{ other }}.{{ starts }} is null
{{- differs(fresh, other, compared) }}
union all
{% endfor -%}
select {{ keys }}, {% for name in compared[:-1] %}null as {{ name }}, {% endfor %}{{ starts }}, {{ ends }}, 'end' as _change
from ended
where {{ ends }} is distinct from stored_end
{%- endif %}
{%- endmacro %}
