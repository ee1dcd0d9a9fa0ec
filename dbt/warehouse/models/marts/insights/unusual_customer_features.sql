select
    as_of,
    status,
    reason,
    customers as customer_count,
    feature,
    feature_status,
    null_count,
    is_log as is_compressed,
    median as typical_value,
    scale as usual_spread,
    model_version,
    trained_from,
    trained_to
from {{ source('ops', 'judged_features') }}
