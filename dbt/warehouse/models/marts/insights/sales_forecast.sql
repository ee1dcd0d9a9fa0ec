select
    forecasts.as_of,
    forecasts.series,
    {{ category_of_series('forecasts.series') }} as category_id,
    categories.category_name,
    forecasts.forecast_on,
    forecasts.forecast as forecast_amount,
    forecasts.lower_80,
    forecasts.upper_80,
    forecasts.lower_95,
    forecasts.upper_95,
    forecasts.model,
    forecasts.model_version,
    forecasts.trained_from,
    forecasts.trained_to
from {{ source('ops', 'sales_forecasts') }} as forecasts
left join {{ ref('int_categories_known') }} as categories on {{ category_of_series('forecasts.series') }} = categories.category_id
