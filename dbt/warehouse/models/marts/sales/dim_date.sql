{{ config(meta={'lasting': true}) }}

{%- set fiscal_start = run_setting('REGULARS_FISCAL_YEAR_START_MONTH') or var('fiscal_year_start_month') %}
{%- set names = {
    'month': ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'],
    'weekday': ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
} %}

with bounds as (
    select date '{{ var('calendar').first }}' as first_on, date '{{ var('calendar').last }}' as last_on
),

days as (
    select calendar.day as date_on from ({{ calendar('bounds') }}) as calendar
),

parts as (
    select
        date_on,
        {{ date_part_of('year', 'date_on') }} as year,
        {{ date_part_of('month', 'date_on') }} as month,
        {{ date_part_of('day', 'date_on') }} as day_of_month,
        {{ iso_weekday('date_on') }} as weekday,
        {{ first_of_month('date_on') }} as month_starts_on
    from days
),

placed as (
    select
        parts.*,
        {{ add_days('date_on', '4 - weekday') }} as thursday_on,
        {{ first_of_month(add_days('month_starts_on', 31)) }} as next_month_starts_on,
        cast(mod(month + 12 - {{ fiscal_start }}, 12) + 1 as bigint) as fiscal_month,
        cast(year + case when {{ fiscal_start }} > 1 and month >= {{ fiscal_start }} then 1 else 0 end as bigint) as fiscal_year
    from parts
)

select
    date_on,
    year,
    cast(floor((month + 2) / 3) as bigint) as quarter,
    month,
    case month {% for name in names.month %}when {{ loop.index }} then '{{ name }}' {% endfor %}end as month_name,
    day_of_month,
    weekday,
    case weekday {% for name in names.weekday %}when {{ loop.index }} then '{{ name }}' {% endfor %}end as weekday_name,
    weekday > 5 as is_weekend,
    {{ date_part_of('year', 'thursday_on') }} as iso_year,
    cast(floor({{ days_between("cast(date_trunc('year', thursday_on) as date)", 'thursday_on') }} / 7) + 1 as bigint) as iso_week,
    {{ add_days('date_on', '1 - weekday') }} as week_starts_on,
    month_starts_on,
    date_on = month_starts_on as is_month_start,
    date_on = {{ add_days('next_month_starts_on', -1) }} as is_month_end,
    cast(date_trunc('quarter', date_on) as date) as quarter_starts_on,
    cast({{ days_between("cast(date_trunc('year', date_on) as date)", 'date_on') }} + 1 as bigint) as day_of_year,
    fiscal_year,
    cast(floor((fiscal_month + 2) / 3) as bigint) as fiscal_quarter,
    fiscal_month
from placed
