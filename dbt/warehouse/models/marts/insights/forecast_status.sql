select
    as_of,
    series,
    {{ category_of_series('series') }} as category_id,
    status,
    reason,
    model,
    first_on,
    last_on,
    days as day_count,
    minimum_days as minimum_day_count,
    filled_days as filled_day_count,
    model_version,
    trained_from,
    trained_to
from {{ source('ops', 'forecast_series') }}
