with scored as (
    select
        customers.*,
        {{ rfm_score('recency_days', falling=true) }} as recency_score,
        {{ rfm_score('order_count') }} as frequency_score,
        {{ rfm_score('net_amount') }} as monetary_score
    from {{ ref('int_customer_recency') }} as customers
    cross join {{ ref('int_rfm_thresholds') }}
)

select
    {{ newest_day() }} as as_of,
    customer_id,
    recency_days,
    order_count,
    net_amount,
    recency_score,
    frequency_score,
    monetary_score,
    case
        when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champions'
        when recency_score >= 3 and frequency_score >= 3 and monetary_score >= 3 then 'loyal'
        when recency_score <= 2 and frequency_score >= 4 and monetary_score >= 4 then 'cannot lose'
        when recency_score <= 2 and frequency_score >= 3 then 'at risk'
        when recency_score >= 4 and frequency_score = 1 then 'new'
        when recency_score >= 3 and frequency_score <= 3 then 'promising'
        when recency_score = 2 then 'about to sleep'
        when recency_score = 1 then 'lost'
        else 'need attention'
    end as segment
from scored
