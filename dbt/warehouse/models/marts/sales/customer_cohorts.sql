with orders as (
    select
        orders.customer_id,
        {{ first_of_month('customers.first_ordered_on') }} as cohort_month,
        {{ first_of_month('orders.ordered_on') }} as ordered_month,
        orders.net_amount,
        orders.imputed_line_count,
        orders.sale_line_count
    from {{ ref('fact_orders') }} as orders
    inner join {{ ref('int_customer_sales') }} as customers on orders.customer_id = customers.customer_id
    where orders.customer_key <> '{{ unknown_member() }}' and not orders.is_deleted
        and customers.first_ordered_on is not null and orders.ordered_on >= customers.first_ordered_on
),

sizes as (
    select {{ first_of_month('first_ordered_on') }} as cohort_month, count(*) as customer_count
    from {{ ref('int_customer_sales') }}
    where first_ordered_on is not null
    group by 1
),

months as (
    select
        cohort_month,
        ordered_month,
        count(distinct case when sale_line_count > 0 then customer_id end) as active_customer_count,
        count(case when sale_line_count > 0 then 1 end) as order_count,
        sum(net_amount) as net_amount,
        sum(imputed_line_count) as imputed_line_count
    from orders
    group by cohort_month, ordered_month
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
