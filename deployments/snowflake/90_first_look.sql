-- Tables to look at before the first run. Snowflake enforces NOT NULL and nothing else: keys and references are declared
-- for people and tools, and the queries at the end find the rows that break them (none is to come back).
use role sysadmin;
create schema if not exists ${database}.first_look;
create or replace table ${database}.first_look.customers (
    customer_id varchar not null primary key,
    region_code varchar not null,
    tier varchar not null,
    signed_up_on date not null
);
create or replace table ${database}.first_look.orders (
    order_id varchar not null primary key,
    customer_id varchar not null references ${database}.first_look.customers (customer_id),
    ordered_at timestamp_ntz(6) not null,
    order_amount decimal(12, 2) not null,
    currency_code varchar not null
);
insert into ${database}.first_look.customers (customer_id, region_code, tier, signed_up_on) values
    ('c-001', 'EU', 'gold', '2024-03-01'), ('c-002', 'US', 'basic', '2025-11-30'), ('c-003', 'EU', 'silver', '2025-06-15');
insert into ${database}.first_look.orders (order_id, customer_id, ordered_at, order_amount, currency_code) values
    ('o-1', 'c-001', '2026-01-04 18:30:00', 49.90, 'EUR'), ('o-2', 'c-001', '2026-01-05 09:12:00', 12.00, 'EUR'),
    ('o-3', 'c-003', '2026-01-05 23:59:59', 7.25, 'EUR');
select 'customers: key' as rule, customer_id as row_key from ${database}.first_look.customers group by customer_id having count(*) > 1
union all
select 'orders: key', order_id from ${database}.first_look.orders group by order_id having count(*) > 1
union all
select 'orders: amount is negative', order_id from ${database}.first_look.orders where order_amount < 0
union all
select 'orders: customer is unknown', o.order_id from ${database}.first_look.orders as o
left join ${database}.first_look.customers as c on o.customer_id = c.customer_id where c.customer_id is null
union all
select 'customers: tier', customer_id from ${database}.first_look.customers where tier not in ('basic', 'silver', 'gold', 'platinum');
