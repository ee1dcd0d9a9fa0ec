{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='client_id') }}

{%- set known = ref('int_engagement_known') %}
{%- set told = [
    'client_id', 'client_name', 'project_code', 'month_starts_on', 'engagement_level', 'status', 'channel', 'session_count', 'spend_amount',
    'last_contact_on',
] %}

with
{%- if is_incremental() %}
{#- A landing holds the whole sheet: clients of whom it says something else than this table does are made anew. #}
changed as (
    (select {{ told | join(', ') }} from {{ known }} except select {{ told | join(', ') }} from {{ this }})
    union all
    (select {{ told | join(', ') }} from {{ this }} except select {{ told | join(', ') }} from {{ known }})
),

touched as (
    select distinct client_id from changed
),
{%- endif %}

months as (
    select
        {{ told | join(',\n        ') }},
        {{ level_rank('engagement_level') }} as level_rank
    from {{ known }}
    {{ 'where client_id in (select client_id from touched)' if is_incremental() }}
),

{#- Months without a level are a partition of their own: the one before is the last that had one. #}
followed as (
    select
        *,
        lag(engagement_level) over (partition by client_id, project_code, level_rank is null order by month_starts_on) as level_before,
        lag(level_rank) over (partition by client_id, project_code, level_rank is null order by month_starts_on) as rank_before,
        {%- for name, type in {'session_count': 'bigint', 'spend_amount': 'decimal(18,2)'}.items() %}
        cast(sum(coalesce({{ name }}, 0)) over (
            partition by client_id, project_code order by month_starts_on rows between unbounded preceding and current row
        ) as {{ type }}) as {{ name }}_to_date,
        {%- endfor %}
        coalesce(session_count > 0, false) or coalesce({{ first_of_month('last_contact_on') }} = month_starts_on, false) as is_active
    from months
),

judged as (
    select
        *,
        case
            when level_rank is null then 'unknown'
            when rank_before is null then 'first'
            when level_rank > rank_before then 'raised'
            when level_rank < rank_before then 'lowered'
            else 'unchanged'
        end as level_change
    from followed
)

{{ with_touched('judged', 'client_id', told + [
    'level_rank', 'level_before', 'level_change', 'session_count_to_date', 'spend_amount_to_date', 'is_active',
], order='month_starts_on') }}
