{#-
    The stretch [since, until) of business dates that a run re-cuts in an interval table, as date literals; `until` is none where
    nothing later was built. days = 'landed': the state changes on landed days only; 'calendar': on any day, so the days
    between the landing before and first_day belong to the run too.
-#}
{% macro recut_bounds(days='landed', starts='valid_from', ends='valid_to') -%}
    {%- set ledger = stage_batches() -%}
    {%- set bounds = namespace(since=first_day(), until=none) -%}
    {%- if execute and model.resource_type != 'unit_test' and not is_from_start() -%}
        {%- if days == 'calendar' -%}
            {%- set before = run_query('select max(as_of) from ' ~ ledger ~ ' as batches where as_of < ' ~ first_day()).columns[0].values()[0] -%}
            {%- if before is not none -%} {%- set bounds.since = add_days("date '" ~ before ~ "'", 1) -%} {%- endif -%}
        {%- endif -%}
        {%- if is_incremental() -%}
            {%- set after = run_query('select min(as_of) from ' ~ ledger ~ ' as batches where as_of > ' ~ as_of()).columns[0].values()[0] -%}
            {%- set built = after is not none and run_query(
                'select count(*) from ' ~ this ~ ' where ' ~ starts ~ ' > ' ~ as_of() ~ ' or ' ~ ends ~ ' > ' ~ as_of()
            ).columns[0].values()[0] -%}
            {%- if built -%}
                {%- set bounds.until = add_days(as_of(), 1) if days == 'calendar' else "date '" ~ after ~ "'" -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
    {{ return({'since': bounds.since, 'until': bounds.until}) }}
{%- endmacro %}
