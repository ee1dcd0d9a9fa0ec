-- How did each week go, beside the week before and the average of the four before it?
-- One row per week from Monday, newest first; a week that is not over says so by its number of days.
with weeks as (
    select
        calendar.week_starts_on,
        count(*) as days_with_sales,
        sum(sales.order_count) as orders,
        sum(sales.net_amount) as net_amount,
        sum(sales.returned_amount) as returned_amount,
        sum(sales.imputed_line_count) as imputed_lines
    from marts.daily_sales as sales
    inner join marts.dim_date as calendar on sales.ordered_on = calendar.date_on
    group by calendar.week_starts_on
)

select
    week_starts_on,
    days_with_sales,
    orders,
    net_amount,
    returned_amount,
    imputed_lines,
    cast(round(100 * (
        cast(net_amount as double) / nullif(cast(lag(net_amount) over (order by week_starts_on) as double), 0) - 1
    ), 1) as decimal(18, 1)) as growth_pct,
    cast(round(avg(cast(net_amount as double)) over (order by week_starts_on rows between 4 preceding and 1 preceding), 2) as decimal(18, 2))
        as average_of_four_weeks
from weeks
order by week_starts_on desc nulls last
