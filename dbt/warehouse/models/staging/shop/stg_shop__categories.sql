with landed as (
    {{ landed_versions('shop', 'categories') }}
)

select
    category_id,
    category_name,
    department,
    updated_at,
    landed_on,
    is_deleted
from landed
