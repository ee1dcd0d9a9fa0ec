{#- Compiled SQL names no database, so that a view can be replayed in the published copy of the warehouse. -#}
{% macro ref() -%}
    {%- set version = kwargs.get('version') or kwargs.get('v') -%}
    {%- if varargs | length == 2 -%}
        {%- do return(builtins.ref(varargs[0], varargs[1], version=version).include(database=false)) -%}
    {%- endif -%}
    {%- do return(builtins.ref(varargs[0], version=version).include(database=false)) -%}
{%- endmacro %}
