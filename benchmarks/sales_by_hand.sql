-- The shop's star schema and its marts, as somebody would write them in one file who need not care about days, late corrections or
-- a second engine. Reads raw.* (views over landed Parquet). {day} is the newest landed day.
create schema hand;

create table hand.customers as
with versions as (
    select customer_id, email_hash, phone_hash, nullif(trim(country), '') as country, nullif(trim(region), '') as region,
        array_to_string(list_transform(string_split(lower(nullif(trim(city), '')), ' '), lambda w: upper(w[1]) || w[2:]), ' ') as city,
        lower(nullif(trim(customer_group), '')) as customer_group, signed_up_on, _as_of
    from raw.customers
    qualify row_number() over (partition by customer_id, _as_of order by updated_at desc) = 1
),
changes as (
    select * from versions
    window w as (partition by customer_id order by _as_of)
    qualify row(email_hash, phone_hash, country, region, city, customer_group, signed_up_on)
        is distinct from lag(row(email_hash, phone_hash, country, region, city, customer_group, signed_up_on)) over w
        or row_number() over w = 1
)
select customer_id || '@' || _as_of as customer_key, customer_id, email_hash, phone_hash, country, region, city, customer_group, signed_up_on,
    _as_of as valid_from, lead(_as_of) over w as valid_to,
    case when row_number() over w = 1 then date '0001-01-01' else _as_of end as effective_from,
    coalesce(lead(_as_of) over w, date '9999-12-31') as effective_to, lead(_as_of) over w is null as is_current
from changes
window w as (partition by customer_id order by _as_of);

create table hand.products as
with versions as (
    select product_id, nullif(trim(product_name), '') as product_name, category_id, nullif(trim(brand), '') as brand, list_price, _as_of
    from raw.products
    qualify row_number() over (partition by product_id, _as_of order by updated_at desc) = 1
),
changes as (
    select * from versions
    window w as (partition by product_id order by _as_of)
    qualify row(product_name, category_id, brand, list_price) is distinct from lag(row(product_name, category_id, brand, list_price)) over w
        or row_number() over w = 1
),
keyed as (
    select product_id || '@' || _as_of as product_key, *, lead(_as_of) over w as valid_to,
        case when row_number() over w = 1 then date '0001-01-01' else _as_of end as effective_from,
        coalesce(lead(_as_of) over w, date '9999-12-31') as effective_to
    from changes
    window w as (partition by product_id order by _as_of)
)
select keyed.*, c.category_name, c.department
from keyed
left join (
    select * from raw.categories qualify row_number() over (partition by category_id order by _as_of desc) = 1
) as c using (category_id);

create table hand.dates as
select cast(d as date) as date_on, year(d) as year, quarter(d) as quarter, month(d) as month, monthname(d) as month_name, day(d) as day_of_month,
    isodow(d) as weekday, dayname(d) as weekday_name, isodow(d) > 5 as is_weekend, isoyear(d) as iso_year, week(d) as iso_week, dayofyear(d) as day_of_year
from range(date '2000-01-01', date '2050-01-01', interval 1 day) as r(d);

create temp table orders_known as
select order_id, customer_id, ordered_at, cast(ordered_at as date) as ordered_on, lower(status) as status, approved_at, shipped_at, delivered_at, promised_at,
    nullif(trim(channel), '') as channel, nullif(trim(currency_code), '') as currency_code, coalesce(is_removed, false) as is_deleted, _as_of
from raw.orders
qualify row_number() over (partition by order_id order by updated_at desc, _as_of desc) = 1;

create table hand.lines as
with items as (
    select order_id, line_id, product_id, quantity, unit_price, total_amount, lower(status) as status, updated_at, coalesce(is_removed, false) as is_deleted, _as_of
    from raw.order_items
    qualify row_number() over (partition by order_id, line_id order by updated_at desc, _as_of desc) = 1
)
select i.order_id, i.line_id, coalesce(c.customer_key, 'unknown') as customer_key, coalesce(p.product_key, 'unknown') as product_key, i.product_id,
    o.ordered_at, o.ordered_on, o.status as order_status,
    case
        when i.is_deleted or o.is_deleted then 'removed' when o.status = 'cancelled' or i.status = 'cancelled' then 'cancellation'
        when o.status = 'returned' or i.status = 'returned' or i.quantity < 0 then 'return' else 'sale' end as line_type,
    i.quantity, i.unit_price, i.total_amount, i.updated_at
from items as i
left join orders_known as o using (order_id)
left join hand.customers as c on o.customer_id = c.customer_id and o.ordered_on >= c.effective_from and o.ordered_on < c.effective_to
left join hand.products as p
    on i.product_id = p.product_id and coalesce(o.ordered_on, date '9999-12-30') >= p.effective_from and coalesce(o.ordered_on, date '9999-12-30') < p.effective_to;

create temp macro amount(total, quantity, price) as coalesce(total, cast(round(quantity * price, 2) as decimal(18, 2)));

create table hand.orders as
with totals as (
    select order_id, count(*) filter (line_type <> 'removed') as line_count, count(*) filter (line_type = 'sale') as sale_line_count,
        count(*) filter (line_type = 'return') as return_line_count, count(*) filter (line_type = 'cancellation') as cancellation_line_count,
        count(*) filter (line_type <> 'removed' and total_amount is null and unit_price is not null) as imputed_line_count,
        count(*) filter (line_type <> 'removed' and total_amount is null and unit_price is null) as unpriced_line_count,
        sum(quantity) filter (line_type = 'sale') as sold_quantity, sum(abs(quantity)) filter (line_type = 'return') as returned_quantity,
        sum(abs(quantity)) filter (line_type = 'cancellation') as cancelled_quantity,
        sum(amount(total_amount, quantity, unit_price)) filter (line_type = 'sale') as gross_amount,
        sum(abs(amount(total_amount, quantity, unit_price))) filter (line_type = 'return') as returned_amount,
        sum(abs(amount(total_amount, quantity, unit_price))) filter (line_type = 'cancellation') as cancelled_amount,
        sum(amount(total_amount, quantity, unit_price)) filter (line_type = 'sale' or line_type <> 'removed' and quantity < 0) as net_amount
    from hand.lines
    group by order_id
)
select o.order_id, coalesce(c.customer_key, 'unknown') as customer_key, o.customer_id, o.ordered_at, o.ordered_on, o.status, o.approved_at, o.shipped_at,
    o.delivered_at, o.promised_at, o.channel, o.currency_code, o.is_deleted, t.* exclude (order_id)
from orders_known as o
left join totals as t using (order_id)
left join hand.customers as c on o.customer_id = c.customer_id and o.ordered_on >= c.effective_from and o.ordered_on < c.effective_to;

create table hand.daily as
select ordered_on, count(*) filter (sale_line_count > 0) as order_count,
    count(distinct customer_id) filter (sale_line_count > 0 and customer_key <> 'unknown') as customer_count,
    sum(sold_quantity) as sold_quantity, sum(gross_amount) as gross_amount, sum(returned_amount) as returned_amount,
    sum(cancelled_amount) as cancelled_amount, coalesce(sum(net_amount), 0) as net_amount, sum(imputed_line_count) as imputed_line_count
from hand.orders where not is_deleted group by ordered_on;

create table hand.categories as
select date_trunc('month', l.ordered_on) as month_starts_on, coalesce(p.category_id, 'none') as category_id, any_value(p.category_name) as category_name,
    sum(l.quantity) filter (line_type = 'sale') as sold_quantity,
    coalesce(sum(amount(total_amount, quantity, unit_price)) filter (line_type = 'sale' or line_type <> 'removed' and quantity < 0), 0) as net_amount,
    sum(amount(total_amount, quantity, unit_price)) filter (line_type = 'sale') as gross_amount,
    count(*) filter (line_type <> 'removed' and total_amount is null and unit_price is not null) as imputed_line_count
from hand.lines as l
inner join hand.products as p using (product_key)
where l.ordered_on is not null
group by 1, 2;

create table hand.customer_sales as
select customer_id, min(ordered_on) filter (sale_line_count > 0) as first_ordered_on, max(ordered_on) filter (sale_line_count > 0) as last_ordered_on,
    count(*) filter (sale_line_count > 0) as order_count, sum(gross_amount) as gross_amount, coalesce(sum(net_amount), 0) as net_amount,
    sum(imputed_line_count) as imputed_line_count
from hand.orders where customer_key <> 'unknown' and not is_deleted group by customer_id;

create table hand.rfm as
with recency as (
    select customer_id, {day} - last_ordered_on as recency_days, order_count, net_amount from hand.customer_sales where order_count > 0
),
cuts as (
    select quantile_cont(recency_days::double, [0.2, 0.4, 0.6, 0.8]) as r, quantile_cont(order_count::double, [0.2, 0.4, 0.6, 0.8]) as f,
        quantile_cont(net_amount::double, [0.2, 0.4, 0.6, 0.8]) as m
    from recency
)
select recency.*, 5 - len(list_filter(r, lambda x: recency_days >= round(x + 1, 6))) as recency_score,
    1 + len(list_filter(f, lambda x: order_count >= round(x + 1, 6))) as frequency_score,
    1 + len(list_filter(m, lambda x: net_amount >= round(x + 1, 6))) as monetary_score
from recency cross join cuts;

create table hand.cohorts as
select date_trunc('month', s.first_ordered_on) as cohort_month, date_trunc('month', o.ordered_on) as ordered_month,
    count(distinct o.customer_id) filter (o.sale_line_count > 0) as active_customer_count, coalesce(sum(o.net_amount), 0) as net_amount
from hand.orders as o
inner join hand.customer_sales as s using (customer_id)
where o.customer_key <> 'unknown' and not o.is_deleted and date_trunc('month', o.ordered_on) >= date_trunc('month', s.first_ordered_on)
group by all;

create table hand.top as
select customer_id, sum(net_amount) as net_amount, sum(gross_amount) as gross_amount, count(*) filter (sale_line_count > 0) as order_count
from hand.orders where ordered_on > {day} - 365 and customer_key <> 'unknown' and not is_deleted
group by customer_id order by net_amount desc, customer_id limit 100;

create table hand.customer_360 as
with favourites as (
    select c.customer_id, p.category_id
    from hand.lines as l
    inner join hand.products as p using (product_key)
    inner join hand.customers as c using (customer_key)
    where l.line_type = 'sale' and p.category_id is not null
    group by c.customer_id, p.category_id
    qualify row_number() over (partition by c.customer_id order by sum(l.quantity) desc, p.category_id) = 1
)
select c.*, s.* exclude (customer_id), f.category_id as favourite_category_id, r.recency_score, r.frequency_score, r.monetary_score
from hand.customers as c
left join hand.customer_sales as s using (customer_id)
left join favourites as f using (customer_id)
left join hand.rfm as r using (customer_id)
where c.is_current;

create table hand.features as
with totals as (
    select customer_id, max(ordered_on) filter (sale_line_count > 0) as last_on, min(ordered_on) filter (sale_line_count > 0) as first_on,
        count(*) filter (sale_line_count > 0) as orders, coalesce(sum(net_amount), 0) as net, sum(gross_amount) as gross, sum(line_count) as n,
        sum(sale_line_count) as sold_lines, sum(sold_quantity) as units, sum(return_line_count) as returned, sum(cancellation_line_count) as cancelled,
        count(*) filter (sale_line_count > 0 and ordered_on > {day} - 90) as orders_now,
        count(*) filter (sale_line_count > 0 and ordered_on > {day} - 180 and ordered_on <= {day} - 90) as orders_before,
        coalesce(sum(net_amount) filter (ordered_on > {day} - 90), 0) as net_now,
        coalesce(sum(net_amount) filter (ordered_on > {day} - 180 and ordered_on <= {day} - 90), 0) as net_before
    from hand.orders where customer_key <> 'unknown' and not is_deleted group by customer_id
),
visits as (
    select distinct customer_id, ordered_on from hand.orders where customer_key <> 'unknown' and not is_deleted and sale_line_count > 0
),
gaps as (
    select customer_id, ordered_on - lag(ordered_on) over (partition by customer_id order by ordered_on) as gap from visits
),
rhythm as (
    select customer_id, avg(gap) as every, case when count(gap) > 1 then stddev_pop(gap) / avg(gap) end as variation from gaps group by customer_id
),
mix as (
    select c.customer_id, p.category_id, sum(l.quantity) as units
    from hand.lines as l
    inner join hand.products as p using (product_key)
    inner join hand.customers as c using (customer_key)
    where l.line_type = 'sale' and p.category_id is not null
    group by c.customer_id, p.category_id
),
shares as (
    select customer_id, count(*) as category_count, max(units) / sum(units) as favourite, sum(units::double ** 2) / sum(units)::double ** 2 as concentration
    from mix where units > 0 group by customer_id
)
select c.customer_id, coalesce(t.orders, 0) as order_count, coalesce(t.orders_now, 0) as order_count_90d, coalesce(t.orders_before, 0) as order_count_prior_90d,
    coalesce(t.net, 0) as net_amount, coalesce(t.net_now, 0) as net_amount_90d, coalesce(t.net_before, 0) as net_amount_prior_90d,
    {day} - t.last_on as recency_days, {day} - t.first_on as tenure_days,
    (t.orders_now - t.orders_before) / nullif(t.orders_now + t.orders_before, 0)::double as order_count_trend,
    (t.net_now - t.net_before)::double / nullif(abs(t.net_now) + abs(t.net_before), 0)::double as net_amount_trend,
    round(t.gross::double / nullif(t.orders, 0), 2) as average_order_amount, t.sold_lines / nullif(t.orders, 0) as average_order_lines,
    t.units::double / nullif(t.orders, 0) as average_order_quantity, t.returned / nullif(t.n, 0) as return_share, t.cancelled / nullif(t.n, 0) as cancellation_share,
    r.every as days_between_orders, r.variation as days_between_orders_variation,
    coalesce(s.category_count, 0) as category_count, s.favourite as favourite_category_share, s.concentration as category_concentration
from hand.customers as c
left join totals as t using (customer_id)
left join rhythm as r using (customer_id)
left join shares as s using (customer_id)
where c.is_current;
