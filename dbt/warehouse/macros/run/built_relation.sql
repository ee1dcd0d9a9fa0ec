{#- A model's table as an earlier run left it, or none: for what must be known of it before the run changes it. -#}
{% macro built_relation(schema, name) -%}
    {%- if not execute or model.resource_type == 'unit_test' -%} {{ return(none) }} {%- endif -%}
    {%- set found = adapter.get_relation(database=target.database, schema=schema, identifier=name) -%}
    {{ return(found.include(database=false) if found and not flags.FULL_REFRESH else none) }}
{%- endmacro %}

{#-
    Whether the run goes back to days of which something was built. The flows keep what was built in ops.built_batches; dbt by itself
    looks whether anything of those days has landed in what is built, and takes it that it goes back where it cannot tell.
-#}
{% macro goes_back() -%}
    {%- if not execute or model.resource_type == 'unit_test' -%} {{ return(false) }} {%- endif -%}
    {%- set ledger = built_relation('ops', 'built_batches') -%}
    {%- if not ledger -%} {{ return(true) }} {%- endif -%}
    {%- set tables = "'" ~ stage_tables() | join("', '") ~ "'" -%}
    {%- set last = run_query('select max(as_of) from ' ~ ledger ~ ' where table_name in (' ~ tables ~ ')').columns[0].values()[0] -%}
    {{ return(last is none or last | string >= first_day() | replace("date '", '') | replace("'", '') | trim) }}
{%- endmacro %}

{#- Whether an incremental table that is made from this model, or from `through`, is there already: it is left as it is but for what a run touches. -#}
{% macro any_built(through) -%}
    {%- if not execute -%} {{ return(true) }} {%- endif -%}
    {%- set sources = [model.unique_id, model.unique_id.replace(model.name, through)] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' -%}
        {%- for source in sources if source in node.depends_on.nodes and built_relation(node.schema, node.alias) -%}
            {{ return(true) }}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
