{#-
    Signed contributions of a raw table to user_daily_activity, for the run's days. The row counts for the business date of
    `moment`, or for the date `day`; `measures` names the measures it feeds, each with its SQL for one row. Deleted rows count nothing.
    `versions` is the table of the changed versions, if there is one; else they are found here.
-#}
{% macro count_changes(source_name, table_name, measures, moment=none, day=none, versions=none) -%}
with changes as (
    select changed.*, {{ day or business_date(moment) }} as activity_on
    {%- if versions %}
    from (select *, landed_on as counted_on from {{ versions }} where landed_on between {{ first_day() }} and {{ as_of() }}) as changed
    {%- else %}
    from ({{ changed_versions(source_name, table_name) }}
    ) as changed
    {%- endif %}
)

select
    user_id,
    activity_on,
    counted_on as landed_on,
    {%- for name, type in activity_measures().items() %}
    {% if name == 'row_count' -%} cast(sum(sign) as {{ type }})
    {%- elif name in measures -%} cast(sum(sign * {{ measures[name] }}) as {{ type }})
    {%- else -%} cast(0 as {{ type }})
    {%- endif %} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from changes
where not is_deleted
group by user_id, activity_on, counted_on
{%- endmacro %}
