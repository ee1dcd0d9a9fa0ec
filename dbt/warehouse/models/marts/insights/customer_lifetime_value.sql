select
    customers.as_of,
    customers.customer_id,
    customers.status,
    customers.probability_alive,
    customers.expected_purchases as expected_purchase_count,
    customers.expected_value as expected_purchase_amount,
    customers.lifetime_value as lifetime_amount,
    fits.horizon_weeks,
    customers.model_version,
    customers.trained_from,
    customers.trained_to
from {{ source('ops', 'lifetime_values') }} as customers
left join {{ source('ops', 'lifetime_value_fits') }} as fits on customers.as_of = fits.as_of and fits.model = 'bg_nbd'
