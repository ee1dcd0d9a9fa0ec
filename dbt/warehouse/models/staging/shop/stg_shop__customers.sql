with landed as (
    {{ landed_versions('shop', 'customers') }}
)

select
    customer_id,
    email_hash,
    phone_hash,
    country,
    region,
    {{ initcap('city') }} as city,
    lower(customer_group) as customer_group,
    signed_up_on,
    updated_at,
    landed_on,
    is_deleted
from landed
