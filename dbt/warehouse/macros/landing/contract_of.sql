{#-
    The contract of a raw table, from the sources YAML: key, mode, event_time, sequence, deleted_when, columns (those that may leave raw).
    Text is trimmed and empty text is null; codes (enum) are in lower case. Columns that are a key somewhere stay as they are: identifiers are
    opaque, and an engine finds a bare column in few files. A column that is all of deleted_when is not among them: `is_deleted` says it.
-#}
{% macro contract_of(source_name, table_name) -%}
    {%- set identifiers = graph.sources.values() | map(attribute='config.meta') | map(attribute='key', default=[]) | sum(start=[]) -%}
    {%- set node = graph.sources.values() | selectattr('source_name', 'equalto', source_name) | selectattr('name', 'equalto', table_name) | first -%}
    {%- set meta = node.config.meta -%}
    {%- set columns = [] -%}
    {%- for column in node.columns.values() -%}
        {%- set facts = column.config.meta -%}
        {%- set landed = 'landed.' ~ column.name -%}
        {%- if column.name == meta.get('deleted_when') -%}
        {%- elif facts.get('pii') in ['email', 'phone', 'id'] -%}
            {%- do columns.append({'name': column.name ~ '_hash', 'sql': landed ~ '_hash'}) -%}
        {%- elif not facts.get('pii') -%}
            {%- set is_text = column.data_type == 'varchar' and column.name not in identifiers -%}
            {%- set cleaned = "nullif(trim(" ~ landed ~ "), '')" if is_text else landed -%}
            {%- do columns.append({'name': column.name, 'sql': 'lower(' ~ cleaned ~ ')' if is_text and facts.get('enum') else cleaned}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return({
        'key': meta.get('key', []), 'mode': meta.mode, 'event_time': meta.get('event_time'), 'sequence': meta.get('sequence'),
        'deleted_when': meta.get('deleted_when'), 'columns': columns,
    }) }}
{%- endmacro %}
