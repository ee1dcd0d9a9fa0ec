-- Do customers come back? Of those who ordered first in a month, the share that ordered again 1, 2, 3, 6 and 12 months later.
-- One row per month of the first order. The newest month, which may not be over, is left out; what is not there yet is empty.
with days as (
    select month_starts_on as newest_month
    from marts.dim_date
    where date_on = (select max(ordered_on) from marts.daily_sales)
)

select
    cohorts.cohort_month,
    max(cohorts.cohort_customer_count) as customers,
    max(case when cohorts.months_since = 1 then cohorts.retention end) as after_1_month,
    max(case when cohorts.months_since = 2 then cohorts.retention end) as after_2_months,
    max(case when cohorts.months_since = 3 then cohorts.retention end) as after_3_months,
    max(case when cohorts.months_since = 6 then cohorts.retention end) as after_6_months,
    max(case when cohorts.months_since = 12 then cohorts.retention end) as after_12_months
from marts.customer_cohorts as cohorts
cross join days
where cohorts.ordered_month < days.newest_month
group by cohorts.cohort_month
order by cohorts.cohort_month
