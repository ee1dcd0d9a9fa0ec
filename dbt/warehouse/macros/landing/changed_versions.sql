{#-
    What the run's days changed in what is known of an append or upsert table, as signed versions: +1 on the day (counted_on)
    from which a version is the known one, -1 on the day another one takes its place. Summed up to a day D, they give
    exactly what was known on D.

    The known version of a key on D is, among the winners of the batches up to D, the one that landed last (append) or the one with
    the greatest event time and then the last landed (upsert: an older state never replaces a newer one). Batches before the run's first day
    are read only for keys that the run's batches name; `stored`, where given, is a table of net changes (`new_versions`) that knows them already.
    Nearly every key comes once: only the others are sorted.
-#}
{% macro changed_versions(source_name, table_name, stored=none) -%}
    {%- set run_rows = effective_rows(source_name, table_name, 'between ' ~ first_day() ~ ' and ' ~ as_of()) -%}
    {%- if not execute -%} {{ return(run_rows) }} {%- endif -%}
    {%- set contract = contract_of(source_name, table_name) -%}
    {%- set key = contract.key | join(', ') -%}
    {%- set named_keys = contract.columns | map(attribute='name') | select('in', contract.key) | join(', ') -%}
    {%- set columns = contract.columns | map(attribute='name') | join(', ') ~ ', landed_on, is_deleted' -%}
    {%- set order = 'landed_on, ' ~ version_order(contract) -%}
    {%- if not contract.key -%}
        {{ exceptions.raise_compiler_error(table_name ~ ' has no key: its versions cannot be told apart') }}
    {%- endif -%}
    with run_rows as (
        {{ run_rows }}
    ),
    candidates as (
        select * from run_rows
        {%- if stored and not is_from_start() %}
        union all
        select {{ columns }} from {{ stored }} as stored
        where sign > 0 and landed_on < {{ first_day() }}
            and ({{ key }}) in (select {{ key }} from run_rows)
        {%- elif not is_from_start() %}
        union all
        {{ effective_rows(source_name, table_name, '< ' ~ first_day(), 'select ' ~ named_keys ~ ' from run_rows') }}
        {%- endif %}
    ),
    repeated as (
        select {{ key }} from candidates group by {{ key }} having count(*) > 1
    ),
    {#- One sort does both: the last row of a day wins, and the next row belongs to the day that replaces it. #}
    ordered as (
        select
            candidates.*,
            {%- if contract.mode == 'upsert' %}
            max({{ contract.event_time }}) over (
                partition by {{ key }} order by {{ order }} rows between unbounded preceding and 1 preceding
            ) as newest_before,
            {%- endif %}
            lead(landed_on) over (partition by {{ key }} order by {{ order }}) as next_landed_on
        from candidates
        where ({{ key }}) in (select {{ key }} from repeated)
    ),
    {%- if contract.mode == 'upsert' %}
    known as (
        select ordered.*, lead(landed_on) over (partition by {{ key }} order by landed_on) as replaced_on
        from ordered
        where (next_landed_on is null or next_landed_on <> landed_on)
            and (newest_before is null or {{ contract.event_time }} >= newest_before)
    )
    {%- else %}
    known as (
        select ordered.*, next_landed_on as replaced_on
        from ordered
        where next_landed_on is null or next_landed_on <> landed_on
    )
    {%- endif %}
    {#- A join on unique keys, not an `exists`, which makes DuckDB sort out all keys first. #}
    select candidates.*, candidates.landed_on as counted_on, 1 as sign
    from candidates
    left join repeated on {{ same_key('repeated', 'candidates', contract.key) }}
    where repeated.{{ contract.key[0] }} is null
    union all
    select {{ columns }}, landed_on as counted_on, 1 as sign from known
    where landed_on >= {{ first_day() }}
    union all
    select {{ columns }}, replaced_on as counted_on, -1 as sign from known
    where replaced_on >= {{ first_day() }}
{%- endmacro %}
