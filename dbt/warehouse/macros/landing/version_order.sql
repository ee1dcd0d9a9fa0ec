{#-
    Order in which the last row wins among versions of one key that landed on one day: event time, then source sequence, then
    content (column by column, in the contract's order, a deleted row last). Never the order of arrival. With direction 'desc' the first row wins.
-#}
{% macro version_order(contract, direction='asc') -%}
    {%- set deciding = [contract.event_time, contract.sequence] + (contract.columns | map(attribute='name') | list) + ['is_deleted'] -%}
    {%- set order = [] -%}
    {%- for name in deciding if name and name not in contract.key -%}
        {%- set term = name ~ (' desc nulls last' if direction == 'desc' else ' asc nulls first') -%}
        {%- if term not in order -%} {%- do order.append(term) -%} {%- endif -%}
    {%- endfor -%}
    {{ return(order | join(', ')) }}
{%- endmacro %}
