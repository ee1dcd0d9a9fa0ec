-- What sells, and is it growing? Net amount of each category by month, beside the month before and the same month a year earlier.
-- One row per month and category, newest month first. The newest month is a part of one until it is over: as_of says up to when.
with months as (
    select
        month_starts_on,
        extract(year from month_starts_on) * 12 + extract(month from month_starts_on) as month_number,
        category_id,
        category_name,
        sold_quantity,
        net_amount,
        net_share,
        imputed_line_count
    from marts.product_category_sales
),

days as (select max(ordered_on) as as_of from marts.daily_sales)

select
    months.month_starts_on,
    days.as_of,
    months.category_id,
    months.category_name,
    months.sold_quantity,
    months.net_amount,
    months.net_share,
    cast(round(100 * (cast(months.net_amount as double) / nullif(cast(earlier.net_amount as double), 0) - 1), 1) as decimal(18, 1))
        as growth_on_month_pct,
    cast(round(100 * (cast(months.net_amount as double) / nullif(cast(last_year.net_amount as double), 0) - 1), 1) as decimal(18, 1))
        as growth_on_year_pct,
    months.imputed_line_count
from months
cross join days
left join months as earlier
    on months.category_id = earlier.category_id and months.month_number = earlier.month_number + 1
left join months as last_year
    on months.category_id = last_year.category_id and months.month_number = last_year.month_number + 12
order by months.month_starts_on desc nulls last, months.net_amount desc nulls last, months.category_id
