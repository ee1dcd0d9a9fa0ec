{#-
    Rest of a model that keeps half-open stretches of unchanged rows and re-cuts them for the days of a run. The model defines before it

        days    state_on, next_state_on       the days the run speaks for; next_state_on null for the last
        states  <key>, state_on, <tracked>    what holds on each of those days; no row: not there

    and is incremental by `recut`, with the same arguments in `meta.recut`. Only keys whose states differ from what is stored are
    written: the part before the run's days, the fresh part and the part after them are joined, gaps are filled
    with stretches `is_deleted` that keep the last known values (dropped unless keep_deleted), equal neighbours are merged.
    A key of which nothing is left yields one row without start, which tells the strategy to delete it.
-#}
{% macro recut_history(key, tracked, days='landed', starts='valid_from', ends='valid_to', keep_deleted=true) -%}
{%- set bounds = recut_bounds(days, starts, ends) -%}
{%- set keys = key | join(', ') -%}
{%- set columns = (key + tracked) | join(', ') -%}
{%- set deleted = 'is_deleted' if keep_deleted else 'false' -%}
fresh as (
    select
        {%- for name in key + tracked %} states.{{ name }}, {%- endfor %}
        days.state_on as valid_from,
        coalesce(days.next_state_on, {{ bounds.until or 'cast(null as date)' }}) as valid_to
    from states
    inner join days on states.state_on = days.state_on
),
{% if is_incremental() %}
stored as (
    select {{ columns }}, {{ starts }} as valid_from, {{ ends }} as valid_to, {{ deleted }} as is_deleted
    from {{ this }}
    where {{ ends }} is null or {{ ends }} >= {{ bounds.since }}
),

in_force as (
    select stored.*, days.state_on
    from stored
    inner join days on {{ in_force('days.state_on', 'stored.valid_from', 'stored.valid_to') }}
    where not stored.is_deleted
),

touched as (
    select {% for name in key %}coalesce(fresh.{{ name }}, in_force.{{ name }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %}
    from fresh
    full outer join in_force on {{ same_key('fresh', 'in_force', key) }} and fresh.valid_from = in_force.state_on
    where fresh.valid_from is null or in_force.state_on is null
    {{- differs('fresh', 'in_force', tracked) }}
    union
    select {{ keys }} from stored
    where valid_from > {{ bounds.since }}
        and valid_from not in (select state_on from days)
        {%- if bounds.until %} and valid_from < {{ bounds.until }} {%- endif %}
),

pieces as (
    select {{ columns }}, valid_from, {{ bounds.since }} as valid_to, is_deleted
    from stored
    where valid_from < {{ bounds.since }}
        and exists (select 1 from touched where {{ same_key('touched', 'stored', key) }})
    union all
    select {{ columns }}, valid_from, valid_to, false as is_deleted
    from fresh
    where exists (select 1 from touched where {{ same_key('touched', 'fresh', key) }})
    {%- if bounds.until %}
    union all
    select {{ columns }}, greatest(valid_from, {{ bounds.until }}) as valid_from, valid_to, false as is_deleted
    from stored
    where not is_deleted
        and (valid_to is null or valid_to > {{ bounds.until }})
        and exists (select 1 from touched where {{ same_key('touched', 'stored', key) }})
    {%- endif %}
),
{% else %}
pieces as (
    select {{ columns }}, valid_from, valid_to, false as is_deleted from fresh
),
{% endif %}
followed as (
    select pieces.*, lead(valid_from) over (partition by {{ keys }} order by valid_from) as next_from from pieces
),

tiles as (
    select {{ columns }}, valid_from, valid_to, is_deleted from followed
    union all
    select {{ columns }}, valid_to as valid_from, next_from as valid_to, true as is_deleted
    from followed
    where valid_to < next_from or (valid_to is not null and next_from is null)
),

starts as (
    select tiles.*
    from tiles
    left join tiles as earlier on {{ same_key('tiles', 'earlier', key) }} and tiles.valid_from = earlier.valid_to
    where earlier.valid_from is null or tiles.is_deleted <> earlier.is_deleted
    {{- differs('tiles', 'earlier', tracked) }}
),

stretches as (
    select {{ columns }}, is_deleted, valid_from, lead(valid_from) over (partition by {{ keys }} order by valid_from) as valid_to
    from starts
)

select {{ columns }}, {% if keep_deleted %}is_deleted, {% endif %}valid_from as {{ starts }}, valid_to as {{ ends }}
from stretches
{%- if not keep_deleted %}
where not is_deleted
{%- endif %}
{%- if is_incremental() %}
union all
select {{ keys }}, {% for name in tracked %}null, {% endfor %}{% if keep_deleted %}null, {% endif %}null, null
from touched
where not exists (select 1 from pieces where {{ same_key('pieces', 'touched', key) }})
{%- endif %}
{%- endmacro %}
