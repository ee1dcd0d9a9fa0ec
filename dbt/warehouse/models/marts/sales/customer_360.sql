select
    {{ newest_day() }} as as_of,
    customers.customer_id,
    customers.customer_key,
    customers.email_hash,
    customers.phone_hash,
    customers.country,
    customers.region,
    customers.city,
    customers.customer_group,
    customers.signed_up_on,
    customers.is_deleted,
    sales.first_ordered_on,
    sales.last_ordered_on,
    cast({{ days_between('sales.last_ordered_on', newest_day()) }} as bigint) as days_since_last_order,
    coalesce(sales.order_count, 0) as order_count,
    {%- for name, (type, sql) in line_measures().items() %}
    cast(coalesce(sales.{{ name }}, 0) as {{ type }}) as {{ name }},
    {%- endfor %}
    cast(round(cast(sales.gross_amount as double) / nullif(sales.order_count, 0), 2) as decimal(18,2)) as average_order_amount,
    categories.favourite_category_id,
    rfm.recency_score,
    rfm.frequency_score,
    rfm.monetary_score,
    rfm.segment as rfm_segment
from {{ ref('dim_customers') }} as customers
left join {{ ref('int_customer_sales') }} as sales on customers.customer_id = sales.customer_id
left join {{ ref('int_customer_category_features') }} as categories on customers.customer_id = categories.customer_id
left join {{ ref('rfm_segments') }} as rfm on customers.customer_id = rfm.customer_id
where customers.is_current and customers.customer_id is not null
