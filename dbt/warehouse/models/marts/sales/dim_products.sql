with products as (
    {{ dimension_of(ref('int_products_history'), 'product', tracked_of_products()) | indent(4) }}
)

select
    products.*,
    categories.category_name,
    categories.department
from products
left join {{ ref('int_categories_known') }} as categories on products.category_id = categories.category_id
