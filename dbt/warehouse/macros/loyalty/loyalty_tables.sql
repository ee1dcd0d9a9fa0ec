{#- Names of the raw tables that the loyalty marts are made from, sorted. -#}
{% macro loyalty_tables() -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {{ return(graph.sources.values() | selectattr('source_name', 'in', var('loyalty_sources')) | map(attribute='name') | sort) }}
{%- endmacro %}
