{#-
    Post-hook of every model: what it was made from, recorded in the transaction that makes it, so that a run that was killed is carried on
    and not begun again. The flows say the marks; dbt by itself only takes the old mark away.
-#}
{% macro mark_built() -%}
    {%- set marks = source('ops', 'built_models') -%}
    {%- if execute and load_relation(marks) is not none -%}
        {%- set mark = run_setting('REGULARS_PROJECT_MARK' if config.get('meta', {}).get('lasting') else 'REGULARS_DAYS_MARK') -%}
        {%- do run_query("delete from " ~ marks ~ " where model = '" ~ this.identifier ~ "' and schema_name = '" ~ this.schema ~ "'") -%}
        {%- if mark -%}
            insert into {{ marks }} (schema_name, model, mark) values ('{{ this.schema }}', '{{ this.identifier }}', '{{ mark }}')
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
