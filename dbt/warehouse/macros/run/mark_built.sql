{#-
    Post-hook of every model: what it was made from, recorded in the transaction that makes it, so that a run that was killed is carried on
    and not begun again. The flows say the marks; dbt by itself only takes the old mark away. A view costs nothing to make: it gets a mark only
    if it depends on the project alone (meta.lasting) and is not published, because DuckDB gives the text of a view back wrong (a cross join
    becomes a comma) once the file was opened again.
-#}
{% macro mark_built() -%}
    {%- set marks = source('ops', 'built_models') -%}
    {%- if execute and load_relation(marks) is not none -%}
        {%- set is_lasting = config.get('meta', {}).get('lasting', false) -%}
        {%- set mark = run_setting('REGULARS_PROJECT_MARK' if is_lasting else 'REGULARS_DAYS_MARK') -%}
        {%- do run_query("delete from " ~ marks ~ " where model = '" ~ this.identifier ~ "' and schema_name = '" ~ this.schema ~ "'") -%}
        {%- if mark and (is_lasting or config.get('materialized') != 'view') -%}
            insert into {{ marks }} (schema_name, model, mark) values ('{{ this.schema }}', '{{ this.identifier }}', '{{ mark }}')
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
