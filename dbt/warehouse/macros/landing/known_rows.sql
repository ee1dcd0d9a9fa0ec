{#-
    What is known on the run's day of an upsert or append table: one row per key, of an upsert table the version with the greatest event
    time and then the last landed, of an append table the one that landed last; ties go by content. Deleted rows are among them.

    `stored` is a table that keeps these rows, columns named as in the contract. Where the run only adds later days to it, a key is decided
    between its stored row (looked for where `since` holds, or ordered_on is null) and what landed in the run's days. Only keys whose
    `group_key` is in CTE `touched` are given.
-#}
{% macro known_rows(source_name, table_name, stored=none, group_key=none, since='true') -%}
    {%- set all_days = effective_rows(source_name, table_name, '<= ' ~ as_of()) -%}
    {%- if not execute -%} {{ return(all_days) }} {%- endif -%}
    {%- set contract = contract_of(source_name, table_name) -%}
    {%- set columns = contract.columns | map(attribute='name') | join(', ') ~ ', landed_on, is_deleted' -%}
    {%- set order = (contract.event_time ~ ' desc nulls last, ' if contract.mode == 'upsert' else '') ~ 'landed_on desc nulls last, ' ~ version_order(contract, 'desc') -%}
    select {{ columns }} from (
    {%- if stored and not goes_back() %}
        {{ effective_rows(source_name, table_name, 'between ' ~ first_day() ~ ' and ' ~ as_of()) }}
        {%- for condition in [since, 'ordered_on is null'] %}
        union all
        select {{ columns }} from {{ stored }} where {{ condition }} and {{ group_key }} in (select {{ group_key }} from touched)
        {%- endfor %}
    {%- elif stored %}
        {{ all_days }} and landed.{{ group_key }} in (select {{ group_key }} from touched)
    {%- else %}
        {{ all_days }}
    {%- endif %}
    ) as candidates
    qualify row_number() over (partition by {{ contract.key | join(', ') }} order by {{ order }}) = 1
{%- endmacro %}
