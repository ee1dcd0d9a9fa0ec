with sums as (
    select * from {{ ref('int_category_months') }}
),

months as (
    select
        month_starts_on,
        sum(case when is_known then net_amount end) as net_amount,
        sum(case when not is_known then line_count else 0 end) as unknown_product_line_count
    from sums
    group by month_starts_on
)

select
    sums.month_starts_on,
    coalesce(sums.category_id, 'none') as category_id,
    categories.category_name,
    categories.department,
    {%- for name in line_measures() %}
    sums.{{ name }},
    {%- endfor %}
    cast(round(cast(sums.net_amount as double) / nullif(cast(months.net_amount as double), 0), 6) as decimal(9,6)) as net_share,
    cast(months.unknown_product_line_count as bigint) as unknown_product_line_count
from sums
inner join months on sums.month_starts_on = months.month_starts_on
left join {{ ref('int_categories_known') }} as categories on sums.category_id = categories.category_id
where sums.is_known
