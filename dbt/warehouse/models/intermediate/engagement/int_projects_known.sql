select *
from {{ ref('stg_operations__projects') }}
where landed_on = {{ visible_on('dim_project') }}
