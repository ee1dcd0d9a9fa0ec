{#- The versions that became the known ones on the run's days and say something new; one row per key and landed day. -#}
{% macro new_versions(source_name, table_name) -%}
    {%- set changed = changed_versions(source_name, table_name) -%}
    {%- if not execute -%} {{ return(changed) }} {%- endif -%}
    {%- set columns = contract_of(source_name, table_name).columns | map(attribute='name') | join(', ') -%}
    select {{ columns }}, is_deleted, counted_on as landed_on
    from ({{ changed }}
    ) as changed
    group by {{ columns }}, is_deleted, counted_on
    having sum(sign) > 0
{%- endmacro %}
