{#- Columns of a raw table as its contract says: name -> {kind: word, number, day or text; type; required; forms}. -#}
{% macro sheet_columns(relation) -%}
    {%- set found = {} -%}
    {%- for source in graph.get('sources', {}).values() if source.name == relation and source.source_name == 'operations' -%}
        {%- for name, column in source.columns.items() -%}
            {%- set meta = column.config.meta if column.config and column.config.meta else column.meta -%}
            {%- set mapping = meta.get('mapping') -%}
            {%- do found.update({name: {
                'kind': {'words': 'word', 'numbers': 'number'}.get(mapping, 'day' if column.data_type == 'date' else 'text'),
                'type': column.data_type,
                'required': meta.get('required', false),
                'forms': meta.get('forms', ['%Y-%m-%d']),
            }}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The value of a column, from its cell and, for words and numbers, from the row of the mapping table that `mapped_<column>` joins. -#}
{% macro value_of(name, column) -%}
    {%- set text = cell('sheet.' ~ name) -%}
    {%- if column.kind == 'word' -%} mapped_{{ name }}.canonical_value
    {%- elif column.kind == 'number' -%} mapped_{{ name }}.number
    {%- elif column.kind == 'day' -%} {{ day_from(text, column.forms) }}
    {%- else -%} {{ text }}
    {%- endif -%}
{%- endmacro %}

{#- Why a row cannot be used for this column; null where it can. No value is repeated: the mapping table shows it to who may see it. -#}
{% macro problem_of(name, column) -%}
    {%- set text = cell('sheet.' ~ name) -%}
    case
        when sheet._row is null then '{{ name }}: a row without a number'
        {%- if column.kind == 'word' %}
        when {{ text }} is not null and mapped_{{ name }}.raw_value is null then '{{ name }}: waits for a decision'
        {%- elif column.kind == 'number' %}
        when {{ text }} is not null and mapped_{{ name }}.raw_text is null then '{{ name }}: waits for a decision'
        when abs({{ value_of(name, column) }}) >= 1e15 then '{{ name }}: too large'
        {%- if column.type in ('bigint', 'integer') %}
        when {{ value_of(name, column) }} % 1 <> 0 then '{{ name }}: no whole number'
        {%- endif %}
        {%- elif column.kind == 'day' %}
        when {{ text }} is not null and {{ day_from(text, column.forms) }} is null then '{{ name }}: no day in a form that the contract allows'
        {%- endif %}
        {%- if column.required %}
        when {{ value_of(name, column) if column.kind in ('word', 'number') else text }} is null then '{{ name }}: missing'
        {%- endif %}
    end
{%- endmacro %}

{#- Joins of the mapping tables that the columns need. -#}
{% macro mapping_joins(columns) -%}
    {%- for name, column in columns.items() if column.kind in ('word', 'number') %}
    {%- set table, raw = ('usable_words', 'raw_value') if column.kind == 'word' else ('usable_numbers', 'raw_text') %}
    left join {{ source('mapping', table) }} as mapped_{{ name }}
        on mapped_{{ name }}.column_name = '{{ name }}' and sheet.{{ name }} = mapped_{{ name }}.{{ raw }}
    {%- endfor %}
{%- endmacro %}
