{#- The stage (var `stages`) that a node belongs to, by the folder of its file. -#}
{%- macro stage_of_model() -%}
    {%- for stage in var('stages').values() -%}
        {%- for folder in stage.folders if model.original_file_path.startswith('models/' ~ folder ~ '/') -%}
            {{ return(stage) }}
        {%- endfor -%}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error(model.original_file_path ~ ' is in no folder of var stages in dbt_project.yml') }}
{%- endmacro -%}

{#- Names of the raw tables of the node's stage, sorted. -#}
{%- macro stage_tables() -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {{ return(graph.sources.values() | selectattr('source_name', 'in', stage_of_model().sources) | map(attribute='name') | sort) }}
{%- endmacro -%}

{#- Relation: the effective batches of the raw tables of the node's stage. Another stage has days of its own. -#}
{%- macro stage_batches() -%}
    {%- set ledger = source('ops', 'effective_batches') -%}
    {%- if not execute or model.resource_type == 'unit_test' -%} {{ return(ledger) }} {%- endif -%}
    (select * from {{ ledger }} where table_name in ('{{ stage_tables() | join("', '") }}'))
{%- endmacro -%}
