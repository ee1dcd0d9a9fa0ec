with landed as (
    {{ landed_versions('dw_a', 'user_profile') }}
)

select
    user_id,
    email_hash,
    phone_hash,
    birth_year,
    gender,
    account_status,
    tier,
    region_code,
    signed_up_on,
    marketing_consent,
    support_consent,
    updated_at,
    landed_on
from landed
