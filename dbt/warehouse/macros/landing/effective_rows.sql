{#-
    Every row of a raw table's effective batches: text trimmed, codes in lower case, no personal column. `days` is a condition on _as_of
    with literal dates, so that the engine opens only the files of those days; `key_in` a subquery that
    names the only keys wanted (columns in the contract's order).
    Adds landed_on (the day from which the row is known) and is_deleted (the contract's deleted_when).
-#}
{% macro effective_rows(source_name, table_name, days=none, key_in=none) -%}
    {%- set landed = source(source_name, table_name) -%}
    {%- set ledger = source('ops', 'effective_batches') -%}
    {%- if not execute -%} {{ return('select 1 as landed_on') }} {%- endif -%}
    {%- set contract = contract_of(source_name, table_name) -%}
    select
        {%- for column in contract.columns %}
        {{ column.sql }} as {{ column.name }},
        {%- endfor %}
        landed._as_of as landed_on,
        {% if contract.deleted_when %}coalesce({{ contract.deleted_when }}, false){% else %}false{% endif %} as is_deleted
    from {{ landed }} as landed
    where landed._batch_id in (select batch_id from {{ ledger }} where table_name = '{{ table_name }}')
        {%- if days %}
        and landed._as_of {{ days }}
        {%- endif %}
        {%- if key_in %}
        {%- set keys = contract.columns | selectattr('name', 'in', contract.key) %}
        and ({{ keys | map(attribute='sql') | join(', ') }}) in ({{ key_in }})
        {%- endif %}
{%- endmacro %}
