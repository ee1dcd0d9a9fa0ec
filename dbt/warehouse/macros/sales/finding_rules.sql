{#-
    Rules by which a line of sale stands out among those of its product: name -> column, observed value, centre, spread and how many spreads
    away from the centre a line may lie. IQR has fences of its own.
-#}
{% macro statistical_rules() -%}
    {%- set limits = var('detection') -%}
    {{ return({
        'quantity_iqr': {
            'column': 'quantity', 'observed': 'quantity',
            'lower': 'quantity_q1 - ' ~ limits.iqr_fence ~ ' * (quantity_q3 - quantity_q1)',
            'upper': 'quantity_q3 + ' ~ limits.iqr_fence ~ ' * (quantity_q3 - quantity_q1)',
            'spread': '(quantity_q3 - quantity_q1)', 'score': '(quantity - quantity_median) / nullif(quantity_q3 - quantity_q1, 0)', 'reaches': false,
        },
        'quantity_mad': {
            'column': 'quantity', 'observed': 'quantity',
            'lower': 'quantity_median - ' ~ limits.robust_z ~ ' * quantity_spread', 'upper': 'quantity_median + ' ~ limits.robust_z ~ ' * quantity_spread',
            'spread': 'quantity_spread', 'score': '(quantity - quantity_median) / nullif(quantity_spread, 0)', 'reaches': false,
        },
        'amount_z': {
            'column': 'total_amount', 'observed': 'amount',
            'lower': 'amount_mean - ' ~ limits.z ~ ' * amount_deviation', 'upper': 'amount_mean + ' ~ limits.z ~ ' * amount_deviation',
            'spread': 'amount_deviation', 'score': '(amount - amount_mean) / nullif(amount_deviation, 0)', 'reaches': true,
        },
        'amount_mad': {
            'column': 'total_amount', 'observed': 'amount',
            'lower': 'amount_median - ' ~ limits.robust_z ~ ' * amount_spread', 'upper': 'amount_median + ' ~ limits.robust_z ~ ' * amount_spread',
            'spread': 'amount_spread', 'score': '(amount - amount_median) / nullif(amount_spread, 0)', 'reaches': false,
        },
    }) }}
{%- endmacro %}

{#- Whether a line breaks a rule: it lies outside the bounds (at a z-score's limit already), rounded so that engines agree. -#}
{% macro breaks(rule) -%}
    is_judged and {{ rule.spread }} > 0 and (round({{ rule.observed }}, 6) {{ '<=' if rule.reaches else '<' }} round({{ rule.lower }}, 6)
    or round({{ rule.observed }}, 6) {{ '>=' if rule.reaches else '>' }} round({{ rule.upper }}, 6))
{%- endmacro %}
