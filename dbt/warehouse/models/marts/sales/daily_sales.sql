{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='ordered_on') }}

with {{ touched_periods('ordered_on', 'ordered_on') }}

days as (
    select
        ordered_on,
        cast(count(case when sale_line_count > 0 then 1 end) as bigint) as order_count,
        cast(count(distinct case when sale_line_count > 0 and customer_key <> '{{ unknown_member() }}' then customer_id end) as bigint) as customer_count,
        {{- sum_measures(of_lines=false) }},
        cast(count(case when sale_line_count > 0 and customer_key = '{{ unknown_member() }}' then 1 end) as bigint) as unknown_customer_order_count
    from {{ ref('fact_orders') }}
    where not is_deleted
        {{ 'and ' ~ since_touched() ~ ' and ordered_on in (select ordered_on from touched)' if is_incremental() }}
    group by ordered_on
)

{{ with_touched('days', 'ordered_on', ['ordered_on', 'order_count', 'customer_count'] + (line_measures().keys() | list) + ['unknown_customer_order_count']) }}
