-- How a customer's units spread over categories: 1 is all of one category, 1 / n evenly over n.
select
    customer_id,
    cast(count(*) as bigint) as category_count,
    {{ share_of('max(sold_quantity)', 'sum(sold_quantity)') }} as favourite_category_share,
    {{ share_of('cast(sum(sold_quantity * sold_quantity) as decimal(38,6))', 'cast(sum(sold_quantity) as decimal(18,3)) * cast(sum(sold_quantity) as decimal(18,3))') }} as category_concentration
from {{ ref('int_customer_categories') }}
where sold_quantity > 0
group by customer_id
