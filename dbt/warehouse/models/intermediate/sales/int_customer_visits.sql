{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='customer_id') }}

-- Purchases of one day are one; what a purchase is worth is the net amount of the day's orders with a sale.
with {{ touched_customers() }}

visits as (
    select customer_id, ordered_on, sum(net_amount) as net_amount
    from {{ ref('fact_orders') }}
    where customer_key <> '{{ unknown_member() }}' and not is_deleted and sale_line_count > 0
        {{ 'and customer_id in (select customer_id from touched)' if is_incremental() }}
    group by customer_id, ordered_on
),

gaps as (
    select *, {{ days_between('lag(ordered_on) over (partition by customer_id order by ordered_on)', 'ordered_on') }} as gap_days
    from visits
),

spans as (
    select
        customer_id,
        min(ordered_on) as first_ordered_on,
        max(ordered_on) as last_ordered_on,
        cast(count(gap_days) as bigint) as frequency,
        cast({{ days_between('min(ordered_on)', 'max(ordered_on)') }} as bigint) as span_days,
        cast(coalesce(sum(gap_days * gap_days), 0) as bigint) as squared_gap_days,
        cast(sum(case when gap_days is not null then net_amount end) as decimal(18,2)) as returning_amount
    from gaps
    group by customer_id
)

{{ with_touched('spans', 'customer_id', [
    'customer_id', 'first_ordered_on', 'last_ordered_on', 'frequency', 'span_days', 'squared_gap_days', 'returning_amount',
]) }}
