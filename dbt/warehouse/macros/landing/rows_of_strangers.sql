{#-
    The winning rows of one landed day that name no row of `members` (a relation with user_id): winners are looked for only among keys
    of which some version names a stranger, so that a day of known users costs one look at their ids.
-#}
{% macro rows_of_strangers(source_name, table_name, members, day) -%}
    {%- set rows = effective_rows(source_name, table_name, '= ' ~ day) -%}
    {%- if not execute -%} {{ return(rows) }} {%- endif -%}
    {%- set contract = contract_of(source_name, table_name) -%}
    {%- set key = contract.columns | map(attribute='name') | select('in', contract.key) | join(', ') -%}
    {%- set is_known = 'exists (select 1 from ' ~ members ~ ' as members where members.user_id = rows_of_day.user_id)' -%}
    select user_id from (
        {{ effective_rows(source_name, table_name, '= ' ~ day, 'select ' ~ key ~ ' from (' ~ rows ~ ') as rows_of_day where not ' ~ is_known) }}
        qualify row_number() over (partition by {{ contract.key | join(', ') }} order by {{ version_order(contract, 'desc') }}) = 1
    ) as rows_of_day
    where not {{ is_known }}
{%- endmacro %}
