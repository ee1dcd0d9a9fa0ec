-- What was sold each day by category, the greatest category first; lines of no category, or of none that ever sold, have no rank.
with days as (
    select ordered_on, category_id, sum(net_amount) as net_amount, sum(sale_line_count) as sale_line_count
    from {{ ref('int_category_days') }}
    where ordered_on <= {{ newest_day() }}
    group by ordered_on, category_id
),

ranks as (
    select category_id, row_number() over (order by sum(net_amount) desc nulls last, category_id) as category_rank
    from days
    where category_id is not null
    group by category_id
    having sum(sale_line_count) > 0
)

select
    days.ordered_on,
    days.category_id,
    cast(ranks.category_rank as bigint) as category_rank,
    cast(days.net_amount as decimal(18,2)) as net_amount
from days
left join ranks on days.category_id = ranks.category_id
