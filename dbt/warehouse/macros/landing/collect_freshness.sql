{#-
    What `dbt source freshness` asks of a raw table, by the rule of `ops.freshness`: whole business days from the newest landed day to the
    day asked about. A day that landed without a row was delivered, so the ledger is asked, not the rows; a table that never landed is
    late only where sources.yml requires it, which the last run has recorded.
-#}
{% macro default__collect_freshness(source, loaded_at_field, filter) -%}
    {%- call statement('collect_freshness', fetch_result=True, auto_begin=False) -%}
    select max({{ loaded_at_field }}) as max_loaded_at, cast({{ freshness_day() }} as timestamp) as snapshotted_at
    from (
        select as_of as _as_of from ops.effective_batches
        where table_name = '{{ source.identifier }}' and as_of <= {{ freshness_day() }}
        union all
        select {{ freshness_day() }} from ops.freshness
        where table_name = '{{ source.identifier }}' and last_as_of is null and not is_required
            and as_of = (select max(as_of) from ops.freshness where table_name = '{{ source.identifier }}' and as_of <= {{ freshness_day() }})
    ) as landed
    {% if filter %} where {{ filter }} {% endif %}
    {%- endcall -%}
    {{ return(load_result('collect_freshness')) }}
{%- endmacro %}

{#- The business date of the run, else the newest one that is over in the company's zone, as a date literal. -#}
{% macro freshness_day() -%}
    {%- set zone = modules.pytz.timezone(run_setting('REGULARS_TIMEZONE') or var('timezone')) -%}
    {%- set yesterday = modules.datetime.datetime.now(zone) - modules.datetime.timedelta(days=1) -%}
    date '{{ var('as_of', none) or run_setting('REGULARS_AS_OF') or yesterday.date() }}'
{%- endmacro %}
