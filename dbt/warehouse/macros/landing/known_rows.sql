{#-
    What is known on the run's day of an upsert or append table: one row per key, of an upsert table the version with the greatest event
    time and then the last landed, of an append table the one that landed last; ties go by content. Deleted rows are among them.

    `stored` is a table that keeps these rows, columns named as in the contract; where the run only adds later days to it, a key is decided
    between its stored row and what landed in the run's days, and only keys whose `group_key` is in CTE `touched` are given.
-#}
{% macro known_rows(source_name, table_name, stored=none, group_key=none) -%}
    {%- set all_days = effective_rows(source_name, table_name, '<= ' ~ as_of()) -%}
    {%- if not execute -%} {{ return(all_days) }} {%- endif -%}
    {%- set contract = contract_of(source_name, table_name) -%}
    {%- set columns = contract.columns | map(attribute='name') | join(', ') ~ ', landed_on, is_deleted' -%}
    {%- set order = (contract.event_time ~ ' desc nulls last, ' if contract.mode == 'upsert' else '') ~ 'landed_on desc nulls last, ' ~ version_order(contract, 'desc') -%}
    select {{ columns }} from (
    {%- if stored and goes_on(stored) %}
        {{ effective_rows(source_name, table_name, 'between ' ~ first_day() ~ ' and ' ~ as_of()) }}
        union all
        select {{ columns }} from {{ stored }} where {{ group_key }} in (select {{ group_key }} from touched)
    {%- elif stored %}
        {{ all_days }} and landed.{{ group_key }} in (select {{ group_key }} from touched)
    {%- else %}
        {{ all_days }}
    {%- endif %}
    ) as candidates
    qualify row_number() over (partition by {{ contract.key | join(', ') }} order by {{ order }}) = 1
{%- endmacro %}

{#- Whether the run only adds later days to what a table with column landed_on holds; else it goes back, and reads again what landed before. -#}
{% macro goes_on(stored, column='landed_on') -%}
    {%- if not execute or model.resource_type == 'unit_test' -%} {{ return(true) }} {%- endif -%}
    {%- set later = run_query('select count(*) from ' ~ stored ~ ' where ' ~ column ~ ' >= ' ~ first_day()).columns[0].values()[0] -%}
    {{ return(later == 0) }}
{%- endmacro %}
