{#- Incremental strategy `recut`: carries out what `recut_history` yields. A stretch that goes on or ends is not written anew, only its end. -#}
{% macro get_incremental_recut_sql(arg_dict) -%}
    {%- set recut = config.get('meta')['recut'] -%}
    {%- set starts = recut.get('starts', 'valid_from') -%}
    {%- set ends = recut.get('ends', 'valid_to') -%}
    {%- set since = recut_bounds(recut.get('days', 'landed'), starts, ends).since -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set source = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- set same_row -%}
        {%- for name in recut['key'] + [starts] %}fresh.{{ name }} = {{ target }}.{{ name }}{{ ' and ' if not loop.last }}{% endfor -%}
    {%- endset -%}
    {%- set statements -%}
    update {{ target }} set {{ ends }} = fresh.{{ ends }}
    from {{ source }} as fresh
    where fresh._change = 'end' and {{ same_row }}
        and {{ target }}.{{ starts }} < {{ since }} and ({{ target }}.{{ ends }} is null or {{ target }}.{{ ends }} >= {{ since }});
    delete from {{ target }}
    where {{ starts }} >= {{ since }}
        and exists (select 1 from {{ source }} as fresh where fresh._change = 'delete' and {{ same_row }});
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ source }} where _change = 'insert'
    {%- endset -%}
    {{ in_one_transaction(statements) }}
{%- endmacro %}
