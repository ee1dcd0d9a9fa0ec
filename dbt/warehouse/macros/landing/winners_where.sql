{#-
    The winning rows of one landed day for which `condition` holds (over columns of the table): winners are looked for only among keys of
    which some version fulfils it, so that a day of which few do costs one look.
-#}
{% macro winners_where(source_name, table_name, day, condition) -%}
    {%- set rows = effective_rows(source_name, table_name, '= ' ~ day) -%}
    {%- if not execute -%} {{ return(rows) }} {%- endif -%}
    {%- set contract = contract_of(source_name, table_name) -%}
    {%- set key = contract.columns | map(attribute='name') | select('in', contract.key) | join(', ') -%}
    select user_id from (
        {{ effective_rows(source_name, table_name, '= ' ~ day, 'select ' ~ key ~ ' from (' ~ rows ~ ') as rows_of_day where ' ~ condition) }}
        qualify row_number() over (partition by {{ contract.key | join(', ') }} order by {{ version_order(contract, 'desc') }}) = 1
    ) as rows_of_day
    where {{ condition }}
{%- endmacro %}
