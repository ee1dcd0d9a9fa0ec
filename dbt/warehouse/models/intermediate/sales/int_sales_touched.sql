{{ config(materialized='table') }}

{#-
    The orders that the run makes anew in every table of sales, found before the first of them changes: what landed in the run's days; what a
    new customer or product stands behind, or was ordered in those days, when a version may have begun; and where the run goes back to days
    that were built, all that was known from them or stands on a version that is gone.
-#}
{%- set orders, items = built_relation('marts', 'fact_orders'), built_relation('marts', 'fact_order_items') %}
{#- Named here for dbt, which looks for references before it knows what stands there. #}
{%- set dimensions = [ref('dim_customers'), ref('dim_products')] %}
{%- set run_days = 'between ' ~ first_day() ~ ' and ' ~ as_of() %}

with landed as (
    select order_id, {{ business_date('ordered_at') }} as ordered_on from ({{ effective_rows('shop', 'orders', run_days) }}) as landed_orders
    union all
    select order_id, null as ordered_on from ({{ effective_rows('shop', 'order_items', run_days) }}) as landed_items
),
{%- if orders and items %}
{%- for name in ('customer', 'product') %}

new_{{ name }}s as (
    select {{ name }}_id from {{ ref('dim_' ~ name ~ 's') }}
    where {{ name }}_id is not null
    group by {{ name }}_id
    having min(valid_from) >= {{ first_day() }}
),
{%- endfor %}
{%- endif %}

touched as (
    select order_id from landed
    {%- if orders and items %}
    union
    select order_id from {{ orders }} where ordered_on >= {{ first_day() }}
    union
    select order_id from {{ items }} where ordered_on is null
    union
    select order_id from {{ orders }} where customer_id in (select customer_id from new_customers)
    union
    select order_id from {{ items }} where {{ "product_key = '" ~ unknown_member() ~ "' and " if not goes_back() }}product_id in (select product_id from new_products)
    {%- if goes_back() %}
    union
    select order_id from {{ orders }} where order_landed_on >= {{ first_day() }} or lines_landed_on >= {{ first_day() }}
    union
    select order_id from {{ items }} where landed_on >= {{ first_day() }} or order_landed_on >= {{ first_day() }}
    union
    select order_id from {{ orders }} where customer_key not in (select customer_key from {{ ref('dim_customers') }})
    union
    select order_id from {{ items }} where product_key not in (select product_key from {{ ref('dim_products') }})
    {%- endif %}
    {%- endif %}
),

days as (
    select order_id, min(ordered_on) as first_landed_on, max(ordered_on) as last_landed_on from landed group by order_id
)

select
    touched.order_id,
    {{ 'stored.customer_id' if orders else 'cast(null as varchar)' }} as customer_id,
    {{ 'stored.ordered_on' if orders else 'cast(null as date)' }} as ordered_on,
    days.first_landed_on,
    days.last_landed_on
from touched
left join days on touched.order_id = days.order_id
{%- if orders and items %}
left join {{ orders }} as stored on touched.order_id = stored.order_id
{%- elif not any_built('int_customers_touched') %}
where false -- nothing is there to be made anew: every table is made whole
{%- endif %}
