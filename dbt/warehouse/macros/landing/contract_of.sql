{#- The contract of a raw table, from the sources YAML: key, mode, event_time, sequence, deleted_when, columns (those that may leave raw). -#}
{% macro contract_of(source_name, table_name) -%}
    {%- set node = graph.sources.values() | selectattr('source_name', 'equalto', source_name) | selectattr('name', 'equalto', table_name) | first -%}
    {%- set meta = node.config.meta or node.meta -%}
    {%- set columns = [] -%}
    {%- for column in node.columns.values() -%}
        {%- set facts = (column.config or {}).get('meta') or column.meta or {} -%}
        {%- if facts.get('pii') in ['email', 'phone', 'id'] -%}
            {%- do columns.append({'name': column.name ~ '_hash', 'sql': 'landed.' ~ column.name ~ '_hash'}) -%}
        {%- elif not facts.get('pii') -%}
            {%- set cleaned = "nullif(trim(landed." ~ column.name ~ "), '')" if column.data_type == 'varchar' else 'landed.' ~ column.name -%}
            {%- do columns.append({'name': column.name, 'sql': 'lower(' ~ cleaned ~ ')' if facts.get('enum') else cleaned}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({
        'key': meta.get('key') or [], 'mode': meta.mode, 'event_time': meta.get('event_time'), 'sequence': meta.get('sequence'),
        'deleted_when': meta.get('deleted_when'), 'columns': columns,
    }) }}
{%- endmacro %}
