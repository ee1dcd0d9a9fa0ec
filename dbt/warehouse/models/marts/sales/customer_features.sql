{%- set sources = customer_feature_sources() %}

select
    {{ newest_day() }} as as_of,
    customers.customer_id
    {%- for model, features in sources.items() %}
    {%- for name, type in features.totals.items() %},
    cast(coalesce({{ model }}.{{ name }}, 0) as {{ type }}) as {{ name }}
    {%- endfor %}
    {%- for name in features.measures %},
    {{ model }}.{{ name }}
    {%- endfor %}
    {%- endfor %}
from {{ ref('dim_customers') }} as customers
{%- for model in sources %}
left join {{ ref(model) }} as {{ model }} on customers.customer_id = {{ model }}.customer_id
{%- endfor %}
where customers.is_current and customers.customer_id is not null and not customers.is_deleted
