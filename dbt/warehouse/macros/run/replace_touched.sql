{#-
    Incremental strategy `replace_touched`: all rows of the keys that the model's last part names are taken out, and its other rows written.
    The model ends in `with_touched(rows, key)`; `unique_key` is the key by which rows are taken out.
-#}
{% macro get_incremental_replace_touched_sql(arg_dict) -%}
    {%- set key, target, source = arg_dict['unique_key'], arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- set statements -%}
    delete from {{ target }} where {{ key }} in (select {{ key }} from {{ source }} where _change = 'touched');
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ source }} where _change = 'row'
    {%- endset -%}
    {{ in_one_transaction(statements) }}
{%- endmacro %}

{#- Last part of such a model: the columns of CTE `rows`, and where the table is there already, the keys of CTE `touched`. -#}
{% macro with_touched(rows, key, columns) -%}
{%- if not is_incremental() %}
select {{ columns | join(', ') }} from {{ rows }}
{%- else %}
select {{ columns | join(', ') }}, 'row' as _change from {{ rows }}
union all
select {% for name in columns %}{{ name if name == key else 'null' }} as {{ name }}, {% endfor %}'touched' as _change from touched
{%- endif %}
{%- endmacro %}
