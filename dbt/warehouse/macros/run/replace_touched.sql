{#-
    Incremental strategy `replace_touched`: all rows of the keys that the model's last part names are taken out, and its other rows written.
    The model ends in `with_touched(rows, key)`; `unique_key` is the key by which rows are taken out. Rows are looked for where the condition
    `since_touched` holds for the column that meta.bounded names, one of days or of first days of months.
-#}
{% macro get_incremental_replace_touched_sql(arg_dict) -%}
    {%- set key, target, source = arg_dict['unique_key'], arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- set column = config.get('meta', {}).get('bounded') -%}
    {%- set bounds = [since_touched(column, whole_months=column.startswith('month')), column ~ ' is null'] if column else ['true'] -%}
    {%- set statements -%}
    {%- for bound in bounds %}
    delete from {{ target }} where {{ bound }} and {{ key }} in (select {{ key }} from {{ source }} where _change = 'touched');
    {%- endfor %}
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ source }} where _change = 'row'
    {%- endset -%}
    {{ in_one_transaction(statements) }}
{%- endmacro %}

{#-
    Last part of such a model: the columns of CTE `rows`, and where the table is there already, the keys of CTE `touched`. A whole table is
    written in the `order` of a column, so that an engine finds a stretch of it in few places.
-#}
{% macro with_touched(rows, key, columns, order=none) -%}
{%- if not is_incremental() %}
select {{ columns | join(', ') }} from {{ rows }}{{ ' order by ' ~ order ~ ' nulls last' if order }}
{%- else %}
select {{ columns | join(', ') }}, 'row' as _change from {{ rows }}
union all
select {% for name in columns %}{{ name if name == key else 'null' }} as {{ name }}, {% endfor %}'touched' as _change from touched
{%- endif %}
{%- endmacro %}
