{#- Incremental strategy `recut`: puts the stretches that `recut_history` yields in the place of those they replace. -#}
{% macro get_incremental_recut_sql(arg_dict) -%}
    {%- set recut = config.get('meta')['recut'] -%}
    {%- set starts = recut.get('starts', 'valid_from') -%}
    {%- set ends = recut.get('ends', 'valid_to') -%}
    {%- set bounds = recut_bounds(recut.get('days', 'landed'), starts, ends) -%}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set source = arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    delete from {{ target }}
    where ({{ ends }} is null or {{ ends }} >= {{ bounds.since }})
        and exists (
            select 1 from {{ source }} as fresh
            where {% for name in recut['key'] %}fresh.{{ name }} = {{ target }}.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
        );
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ source }} where {{ starts }} is not null
{%- endmacro %}
