{#-
    Compiled SQL names no database, so that a view can be replayed in the published copy of the warehouse; but for a model that
    `--defer` finds in another database: there it has to be named.
-#}
{% macro ref() -%}
    {%- set version = kwargs.get('version') or kwargs.get('v') -%}
    {%- if varargs | length == 2 -%}
        {%- set found = builtins.ref(varargs[0], varargs[1], version=version) -%}
    {%- else -%}
        {%- set found = builtins.ref(varargs[0], version=version) -%}
    {%- endif -%}
    {%- set is_elsewhere = found.database and found.database | lower != target.database | lower -%}
    {%- do return(found.include(database=(true if is_elsewhere else false))) -%}
{%- endmacro %}
