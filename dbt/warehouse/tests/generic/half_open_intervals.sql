{#-
    Within a key the stretches [starts, ends) are not empty, do not overlap and (unless allow_gaps) leave no gap; only the last is
    open. Looks at the stretches that touch the run's days or come later: a run cannot have changed others.
-#}
{% test half_open_intervals(model, key, starts='valid_from', ends='valid_to', allow_gaps=false) %}
with followed as (
    select
        {{ key | join(', ') }},
        {{ starts }} as starts_on,
        {{ ends }} as ends_on,
        lead({{ starts }}) over (partition by {{ key | join(', ') }} order by {{ starts }}) as next_starts_on
    from {{ model }}
    where {{ ends }} is null or {{ ends }} >= {{ first_day() }}
)

select * from followed
where ends_on <= starts_on
    or (next_starts_on is not null and (ends_on is null or next_starts_on < ends_on))
    {%- if not allow_gaps %}
    or (next_starts_on is null and ends_on is not null)
    or next_starts_on > ends_on
    {%- endif %}
{% endtest %}
