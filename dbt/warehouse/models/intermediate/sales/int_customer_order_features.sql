{%- set day = newest_day() %}
{%- set windows = {'90d': (89, 0), 'prior_90d': (179, 90)} %}

with lately as (
    select
        customer_id,
        {%- for window, (from_days, to_days) in windows.items() %}
        {%- set is_within = 'ordered_on between ' ~ add_days(day, -from_days) ~ ' and ' ~ add_days(day, -to_days) %}
        cast(count(case when {{ is_within }} and sale_line_count > 0 then 1 end) as bigint) as order_count_{{ window }},
        cast(coalesce(sum(case when {{ is_within }} then net_amount end), 0) as decimal(18,2)) as net_amount_{{ window }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('fact_orders') }}
    where customer_key <> '{{ unknown_member() }}' and not is_deleted and ordered_on between {{ add_days(day, -179) }} and {{ day }}
    group by customer_id
),

joined as (
    select
        sales.*,
        {%- for window in windows %}
        coalesce(lately.order_count_{{ window }}, 0) as order_count_{{ window }},
        coalesce(lately.net_amount_{{ window }}, 0) as net_amount_{{ window }},
        {%- endfor %}
        visits.frequency,
        visits.span_days,
        visits.squared_gap_days
    from {{ ref('int_customer_sales') }} as sales
    left join lately on sales.customer_id = lately.customer_id
    left join {{ ref('int_customer_visits') }} as visits on sales.customer_id = visits.customer_id
)

select
    customer_id,
    cast({{ days_between('last_ordered_on', day) }} as bigint) as recency_days,
    cast({{ days_between('first_ordered_on', day) }} as bigint) as tenure_days,
    order_count,
    order_count_90d,
    order_count_prior_90d,
    {{ trend_of('order_count_90d', 'order_count_prior_90d') }} as order_count_trend,
    net_amount,
    net_amount_90d,
    net_amount_prior_90d,
    {{ trend_of('net_amount_90d', 'net_amount_prior_90d') }} as net_amount_trend,
    {{ share_of('gross_amount', 'order_count', 2, 'decimal(18,2)') }} as average_order_amount,
    {{ share_of('sale_line_count', 'order_count') }} as average_order_lines,
    {{ share_of('sold_quantity', 'order_count') }} as average_order_quantity,
    {{ share_of('return_line_count', 'line_count') }} as return_share,
    {{ share_of('cancellation_line_count', 'line_count') }} as cancellation_share,
    {{ share_of('span_days', 'frequency') }} as days_between_orders,
    case when frequency > 1 then
        {{ share_of('sqrt(cast(frequency * squared_gap_days - span_days * span_days as double))', 'span_days') }}
    end as days_between_orders_variation
from joined
