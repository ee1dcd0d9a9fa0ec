{#-
    The versions of a raw table: one winner per key and landed day; every row where the contract has no key. Body of a staging view.
-#}
{% macro landed_versions(source_name, table_name) -%}
    {%- set rows = effective_rows(source_name, table_name) -%}
    {%- if not execute -%} {{ return(rows) }} {%- endif -%}
    {%- set contract = contract_of(source_name, table_name) -%}
    select * from ({{ rows }}
    ) as effective
    {%- if contract.key %}
    qualify row_number() over (partition by {{ contract.key | join(', ') }}, landed_on order by {{ version_order(contract, 'desc') }}) = 1
    {%- endif -%}
{%- endmacro %}
