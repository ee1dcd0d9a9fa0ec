-- What is unusual? Rows that a rule of detection found in the last 28 days, the oddest of each rule first.
-- One row per rule and finding, at most 20 of each rule; docs/sales.md and docs/quality.md say what the rules are and what to do.
with ranked as (
    select
        anomalies.*,
        count(*) over (partition by rule) as found_by_rule,
        row_number() over (
            partition by rule
            order by abs(score) desc nulls last, abs(observed) desc nulls last, ordered_on desc nulls last, order_id nulls last,
                line_id nulls last, product_id nulls last
        ) as place
    from marts.anomalies as anomalies
    cross join (select max(ordered_on) as as_of from marts.daily_sales) as days
    where datediff('day', anomalies.landed_on, days.as_of) < 28
)

select rule, table_name, column_name, order_id, line_id, product_id, customer_id, ordered_on, observed, lower_bound, upper_bound, score, found_by_rule
from ranked
where place <= 20
order by rule, place
