{#-
    What the run's days changed in the versions of a table, net: sign 1 where a version became the known one, -1 where it was
    replaced; one row per key, landed day and sign. `stored` is the table that keeps these rows: what was known before is read from there.
-#}
{% macro new_versions(source_name, table_name, stored) -%}
    {%- set changed = changed_versions(source_name, table_name, stored if is_incremental() else none) -%}
    {%- if not execute -%} {{ return(changed) }} {%- endif -%}
    {%- set columns = contract_of(source_name, table_name).columns | map(attribute='name') | join(', ') -%}
    select {{ columns }}, is_deleted, counted_on as landed_on, cast(sum(sign) as bigint) as sign
    from ({{ changed }}
    ) as changed
    group by {{ columns }}, is_deleted, counted_on
    having sum(sign) <> 0
{%- endmacro %}
