-- What BG/NBD and Gamma-Gamma know of a customer, as of the newest landed day; docs/science.md says it in full.
select
    customer_id,
    first_ordered_on,
    frequency,
    cast(span_days as double) / 7 as recency_weeks,
    cast({{ days_between('first_ordered_on', newest_day()) }} as double) / 7 as age_weeks,
    cast(returning_amount as double) / nullif(frequency, 0) as monetary_mean
from {{ ref('int_customer_visits') }}
