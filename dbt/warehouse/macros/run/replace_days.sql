{#-
    Incremental strategy `replace_days`: the rows of the run's landed days (column landed_on) are taken out and written anew,
    also where a day has no rows any more.
-#}
{% macro get_incremental_replace_days_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- set statements -%}
    delete from {{ arg_dict['target_relation'] }} where landed_on between {{ first_day() }} and {{ as_of() }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
    {%- endset -%}
    {{ in_one_transaction(statements) }}
{%- endmacro %}
