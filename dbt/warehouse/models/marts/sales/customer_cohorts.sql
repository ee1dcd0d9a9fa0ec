with customers as (
    select customer_id, first_ordered_on, {{ first_of_month('first_ordered_on') }} as cohort_month
    from {{ ref('int_customer_sales') }}
    where first_ordered_on is not null
),

sizes as (
    select cohort_month, count(*) as customer_count from customers group by cohort_month
),

months as (
    select
        customers.cohort_month,
        months.month_starts_on as ordered_month,
        count(case when months.order_count > 0 then 1 end) as active_customer_count,
        sum(months.order_count) as order_count,
        sum(months.net_amount) as net_amount,
        sum(months.imputed_line_count) as imputed_line_count
    from {{ ref('int_customer_months') }} as months
    inner join customers on months.customer_id = customers.customer_id
    where months.month_starts_on >= customers.cohort_month
    group by customers.cohort_month, months.month_starts_on
)

select
    months.cohort_month,
    cast({{ months_between('months.cohort_month', 'months.ordered_month') }} as bigint) as months_since,
    months.ordered_month,
    cast(sizes.customer_count as bigint) as cohort_customer_count,
    cast(months.active_customer_count as bigint) as active_customer_count,
    cast(round(cast(months.active_customer_count as double) / sizes.customer_count, 6) as decimal(9,6)) as retention,
    cast(months.order_count as bigint) as order_count,
    cast(months.net_amount as decimal(18,2)) as net_amount,
    cast(months.imputed_line_count as bigint) as imputed_line_count
from months
inner join sizes on months.cohort_month = sizes.cohort_month
