{{ config(materialized='table') }}

select
    {{ first_of_month('ordered_on') }} as month_starts_on,
    is_known,
    category_id,
    {{- sum_measures(of_lines=false) }}
from {{ ref('int_category_days') }}
group by 1, 2, 3
