-- How a customer's units spread over categories: 1 is all of one category, 1 / n evenly over n.
select
    customer_id,
    cast(count(*) as bigint) as category_count,
    {{ share_of('max(quantity)', 'sum(quantity)') }} as favourite_category_share,
    {{ share_of('cast(sum(quantity * quantity) as decimal(38,6))', 'cast(sum(quantity) as decimal(18,3)) * cast(sum(quantity) as decimal(18,3))') }} as category_concentration
from {{ ref('int_customer_categories') }}
where quantity > 0
group by customer_id
