{#-
    The first day the run speaks for, as a date literal: var `first_day` (default as_of), else REGULARS_FIRST_DAY. A full refresh, or an incremental
    model of this run that is not there yet, makes it the first day of all, so that what is built never has a hole.
-#}
{% macro first_day() -%}
    {%- if is_from_start() -%} date '{{ beginning() }}'
    {%- else -%} date '{{ var('first_day', none) or var('as_of', none) or run_setting('REGULARS_FIRST_DAY') or beginning() }}'
    {%- endif -%}
{%- endmacro %}

{% macro beginning() -%} 1900-01-01 {%- endmacro %}

{#-
    Whether the node is built from the first landed day on. One answer for everything that leads to the `last_model` of a stage, from
    the first node of a run to the last: that model is made after all of them. Besides, an incremental model that is not there yet starts anew.
-#}
{% macro is_from_start() -%}
    {%- if not execute or model.resource_type == 'unit_test' -%} {{ return(false) }} {%- endif -%}
    {%- if flags.FULL_REFRESH -%} {{ return(true) }} {%- endif -%}
    {%- for node in graph.nodes.values()
        if node.name == stage_of_model().last_model or (node.unique_id == model.unique_id and node.config.materialized == 'incremental') -%}
        {%- if adapter.get_relation(database=node.database, schema=node.schema, identifier=node.alias) is none -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}
