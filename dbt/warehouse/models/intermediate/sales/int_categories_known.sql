select category_id, category_name, department
from {{ ref('stg_shop__categories') }}
where landed_on <= {{ as_of() }}
qualify row_number() over (partition by category_id order by landed_on desc nulls last) = 1
