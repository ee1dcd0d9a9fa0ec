select *
from {{ ref('stg_operations__customer_engagement') }}
where landed_on = {{ visible_on('customer_engagement') }}
