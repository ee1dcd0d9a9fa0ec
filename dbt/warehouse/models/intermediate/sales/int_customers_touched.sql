{{ config(materialized='table') }}

-- Whom the touched orders belong to, before the run and after it.
select customer_id from {{ ref('int_sales_touched') }} where customer_id is not null
union
select customer_id from {{ ref('fact_orders') }}
where {{ since_touched() }} and order_id in (select order_id from {{ ref('int_sales_touched') }}) and customer_id is not null
