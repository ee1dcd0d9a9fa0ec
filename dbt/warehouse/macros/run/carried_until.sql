{#-
    For a table that sums up everything up to its column known_on: that day as a date literal, if the run only adds later days
    to what the table holds; none if the run goes back, and everything must be read again.
-#}
{% macro carried_until() -%}
    {%- if not execute or model.resource_type == 'unit_test' or is_from_start() or load_relation(this) is none -%} {{ return(none) }} {%- endif -%}
    {%- set known_on = run_query('select max(known_on) from ' ~ this ~ ' having max(known_on) < ' ~ first_day()).columns[0].values() -%}
    {{ return("date '" ~ known_on[0] ~ "'" if known_on else none) }}
{%- endmacro %}

{#-
    Incremental strategy `carry` of such a table, with `unique_key`: the keys that the run has something new about are replaced; all rows, if
    the run goes back.
-#}
{% macro get_incremental_carry_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- set statements -%}
    delete from {{ arg_dict['target_relation'] }}
    {%- if carried_until() %}
    where exists (
        select 1 from {{ arg_dict['temp_relation'] }} as fresh where {{ same_key('fresh', arg_dict['target_relation'], arg_dict['unique_key']) }}
    )
    {%- endif %};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
    {%- endset -%}
    {{ in_one_transaction(statements) }}
{%- endmacro %}
