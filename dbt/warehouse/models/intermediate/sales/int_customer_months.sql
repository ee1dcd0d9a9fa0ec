{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='customer_id', meta={'bounded': 'month_starts_on'}) }}

{%- set since = since_touched(whole_months=true) %}

with {{ touched_customers() }}

months as (
    select
        customer_id,
        {{ first_of_month('ordered_on') }} as month_starts_on,
        min(case when sale_line_count > 0 then ordered_on end) as first_ordered_on,
        max(case when sale_line_count > 0 then ordered_on end) as last_ordered_on,
        cast(count(case when sale_line_count > 0 then 1 end) as bigint) as order_count,
        {{- sum_measures(of_lines=false) }}
    from {{ ref('fact_orders') }}
    where customer_key <> '{{ unknown_member() }}' and not is_deleted
        {{ 'and customer_id in (select customer_id from touched) and ' ~ since if is_incremental() }}
    group by 1, 2
)

{{ with_touched('months', 'customer_id', ['customer_id', 'month_starts_on', 'first_ordered_on', 'last_ordered_on', 'order_count'] + (line_measures().keys() | list)) }}
