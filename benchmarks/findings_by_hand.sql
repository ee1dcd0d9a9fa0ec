-- Every line that breaks a rule of detection, by hand: centres and spreads of each product, then one pass over the lines.
create table hand.findings as
with lines as (
    select product_id, quantity::double as q, coalesce(total_amount, round(quantity * unit_price, 2))::double as a
    from marts.fact_order_items where line_type = 'sale' and product_id is not null
),
centres as (
    select product_id, count(*) as n, avg(a) as am, quantile_cont(q, [0.25, 0.5, 0.75]) as qq, quantile_cont(a, [0.25, 0.5, 0.75]) as aq from lines group by 1
),
spreads as (
    select product_id, sqrt(sum((a - am) ** 2) / (count(*) - 1)) as ad, greatest(1.4826 * median(abs(q - qq[2])), (any_value(qq)[3] - any_value(qq)[1]) / 1.349) as qs,
        greatest(1.4826 * median(abs(a - aq[2])), (any_value(aq)[3] - any_value(aq)[1]) / 1.349) as asp
    from lines inner join centres using (product_id) group by 1
),
judged as (
    select i.order_id, i.line_id, c.*, s.*, i.quantity::double as q, coalesce(i.total_amount, round(i.quantity * i.unit_price, 2))::double as a,
        i.unit_price, round(i.quantity * i.unit_price, 2) as e, i.total_amount, i.order_status, i.product_id as named, i.product_key, i.line_type,
        i.line_type = 'sale' and c.n >= 30 as enough
    from marts.fact_order_items as i
    left join centres as c using (product_id)
    left join spreads as s using (product_id)
    where i.line_type <> 'removed' and (
        (i.line_type = 'sale' and n >= 30 and (
            q < qq[1] - 1.5 * (qq[3] - qq[1]) or q > qq[3] + 1.5 * (qq[3] - qq[1]) or abs(q - qq[2]) > 3.5 * qs or abs(a - am) >= 3 * ad or abs(a - aq[2]) > 3.5 * asp
        ))
        or abs(i.total_amount - round(i.quantity * i.unit_price, 2)) > 0.01 or i.unit_price < 0 or i.total_amount is null and i.unit_price is null
        or i.order_status is null or i.product_id is not null and i.product_key = 'unknown'
    )
)
select unnest(list_filter([
    if(enough and qq[3] > qq[1] and (q < qq[1] - 1.5 * (qq[3] - qq[1]) or q > qq[3] + 1.5 * (qq[3] - qq[1])), 'quantity_iqr', null),
    if(enough and qs > 0 and abs(q - qq[2]) > 3.5 * qs, 'quantity_mad', null),
    if(enough and ad > 0 and abs(a - am) >= 3 * ad, 'amount_z', null),
    if(enough and asp > 0 and abs(a - aq[2]) > 3.5 * asp, 'amount_mad', null),
    if(abs(total_amount - e) > 0.01, 'total_mismatch', null), if(unit_price < 0, 'negative_price', null),
    if(total_amount is null and unit_price is null, 'no_amount', null), if(order_status is null, 'unknown_order', null),
    if(named is not null and product_key = 'unknown', 'unknown_product', null)
], lambda x: x is not null)) as rule, order_id, line_id, q, a
from judged;
