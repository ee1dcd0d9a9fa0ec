select
    as_of,
    model,
    status,
    reason,
    customers as customer_count,
    left_out as left_out_count,
    log_likelihood,
    parameters,
    horizon_weeks,
    yearly_discount_rate,
    model_version,
    trained_from,
    trained_to
from {{ source('ops', 'lifetime_value_fits') }}
