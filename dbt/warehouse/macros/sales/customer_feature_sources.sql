{#-
    What customer_features is put together from: a model per source, one row per customer_id, all as of newest_day(). `totals` are 0 for a
    customer whom the source does not know, `measures` are null. Later work adds a model and an entry here.
-#}
{% macro customer_feature_sources() -%}
    {{ return({
        'int_customer_order_features': {
            'totals': {
                'order_count': 'bigint', 'order_count_90d': 'bigint', 'order_count_prior_90d': 'bigint',
                'net_amount': 'decimal(18,2)', 'net_amount_90d': 'decimal(18,2)', 'net_amount_prior_90d': 'decimal(18,2)',
            },
            'measures': [
                'recency_days', 'tenure_days', 'order_count_trend', 'net_amount_trend', 'average_order_amount', 'average_order_lines',
                'average_order_quantity', 'return_share', 'cancellation_share', 'days_between_orders', 'days_between_orders_variation',
            ],
        },
        'int_customer_category_features': {
            'totals': {'category_count': 'bigint'},
            'measures': ['favourite_category_share', 'category_concentration'],
        },
    }) }}
{%- endmacro %}
