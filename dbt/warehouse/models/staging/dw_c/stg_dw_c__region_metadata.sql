with landed as (
    {{ landed_versions('dw_c', 'region_metadata') }}
)

select
    region_code,
    region_name,
    country_code,
    region_manager,
    landed_on
from landed
