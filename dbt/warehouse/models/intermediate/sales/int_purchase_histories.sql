{{ config(materialized='table') }}

-- Purchases of one day are one; what a purchase is worth is the net amount of the day's orders with a sale.
with visits as (
    select customer_id, ordered_on, sum(net_amount) as net_amount
    from {{ ref('fact_orders') }}
    where customer_key <> '{{ unknown_member() }}' and not is_deleted and sale_line_count > 0 and ordered_on <= {{ newest_day() }}
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
        count(gap_days) as frequency,
        sum(gap_days * gap_days) as squared_gap_days,
        cast(sum(case when gap_days is not null then net_amount end) as decimal(18,2)) as returning_amount
    from gaps
    group by customer_id
)

select
    customer_id,
    first_ordered_on,
    last_ordered_on,
    cast(frequency as bigint) as frequency,
    cast({{ days_between('first_ordered_on', 'last_ordered_on') }} as double) / 7 as recency_weeks,
    cast({{ days_between('first_ordered_on', newest_day()) }} as double) / 7 as age_weeks,
    cast(returning_amount as double) / nullif(frequency, 0) as monetary_mean,
    cast({{ days_between('first_ordered_on', 'last_ordered_on') }} as bigint) as span_days,
    cast(coalesce(squared_gap_days, 0) as bigint) as squared_gap_days
from spans
