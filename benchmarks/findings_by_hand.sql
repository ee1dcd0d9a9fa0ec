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
    select i.order_id, i.line_id, i.ordered_on, i.landed_on, c.*, s.*, i.quantity::double as q, coalesce(i.total_amount, round(i.quantity * i.unit_price, 2))::double as a,
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
),
found as (
    select order_id, line_id, named as product_id, ordered_on, landed_on, unnest(list_filter([
        if(enough and qq[3] > qq[1] and (q < qq[1] - 1.5 * (qq[3] - qq[1]) or q > qq[3] + 1.5 * (qq[3] - qq[1])),
            {r: 'quantity_iqr', c: 'quantity', o: q, l: qq[1] - 1.5 * (qq[3] - qq[1]), u: qq[3] + 1.5 * (qq[3] - qq[1]), s: (q - qq[2]) / (qq[3] - qq[1])}, null),
        if(enough and qs > 0 and abs(q - qq[2]) > 3.5 * qs,
            {r: 'quantity_mad', c: 'quantity', o: q, l: qq[2] - 3.5 * qs, u: qq[2] + 3.5 * qs, s: (q - qq[2]) / qs}, null),
        if(enough and ad > 0 and abs(a - am) >= 3 * ad, {r: 'amount_z', c: 'total_amount', o: a, l: am - 3 * ad, u: am + 3 * ad, s: (a - am) / ad}, null),
        if(enough and asp > 0 and abs(a - aq[2]) > 3.5 * asp,
            {r: 'amount_mad', c: 'total_amount', o: a, l: aq[2] - 3.5 * asp, u: aq[2] + 3.5 * asp, s: (a - aq[2]) / asp}, null),
        if(abs(total_amount - e) > 0.01, {r: 'total_mismatch', c: 'total_amount', o: a, l: e::double, u: e::double, s: a - e::double}, null),
        if(unit_price < 0, {r: 'negative_price', c: 'unit_price', o: unit_price::double, l: 0::double, u: null::double, s: null::double}, null),
        if(total_amount is null and unit_price is null, {r: 'no_amount', c: 'total_amount', o: null::double, l: null::double, u: null::double, s: null::double}, null),
        if(order_status is null, {r: 'unknown_order', c: 'order_id', o: null::double, l: null::double, u: null::double, s: null::double}, null),
        if(named is not null and product_key = 'unknown',
            {r: 'unknown_product', c: 'product_id', o: null::double, l: null::double, u: null::double, s: null::double}, null)
    ], lambda x: x is not null)) as f
    from judged
)
select f.r as rule, f.c as column_name, order_id, line_id, product_id, ordered_on, landed_on, f.o as observed, f.l as lower_bound, f.u as upper_bound, round(f.s, 6) as score
from found;
