{#- Text with the first letter of each word, between spaces, in upper case and the rest in lower case. -#}
{% macro initcap(text) -%}
    {{ return(adapter.dispatch('initcap', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__initcap(text) -%}
    array_to_string(list_transform(string_split(lower({{ text }}), ' '), lambda word: upper(substr(word, 1, 1)) || substr(word, 2)), ' ')
{%- endmacro %}

{% macro snowflake__initcap(text) -%}
    initcap({{ text }}, ' ')
{%- endmacro %}
