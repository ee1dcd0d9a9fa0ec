with reasons as (
    select
        customer_id,
        position,
        feature,
        replace(feature, '_', ' ') || ' is ' || direction || ': ' || {{ figure_in_words('value') }} || ', usually ' || {{ figure_in_words('typical_value') }} as reason
    from {{ source('ops', 'flagged_reasons') }}
),

named as (
    select
        customer_id,
        max(case when position = 1 then feature end) as main_feature,
        max(case when position = 1 then reason end) as reason_1,
        max(case when position = 2 then reason end) as reason_2,
        max(case when position = 3 then reason end) as reason_3
    from reasons
    group by customer_id
)

select
    flagged.as_of,
    flagged.customer_id,
    flagged.unusual_rank,
    flagged.score,
    named.main_feature,
    named.reason_1,
    named.reason_2,
    named.reason_3,
    flagged.model_version,
    flagged.trained_from,
    flagged.trained_to
from {{ source('ops', 'flagged_customers') }} as flagged
left join named on flagged.customer_id = named.customer_id
