select
    as_of,
    series,
    {{ category_of_series('series') }} as category_id,
    model,
    is_chosen,
    status,
    reason,
    windows as window_count,
    rmse,
    mae,
    mape_pct,
    mase,
    coverage_80_pct,
    coverage_95_pct,
    model_version,
    trained_from,
    trained_to
from {{ source('ops', 'forecast_trials') }}
