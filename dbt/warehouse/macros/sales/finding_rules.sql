{#-
    Rules by which a line of sale stands out among those of its product: name -> column, what is observed, its centre and spread, and the
    bounds, rounded so that engines agree. A line breaks a rule outside the bounds; where `reaches`, at them already.
-#}
{% macro statistical_rules() -%}
    {%- set limits = var('detection') -%}
    {%- set rules = {
        'quantity_iqr': {'column': 'quantity', 'observed': 'quantity', 'centre': 'quantity_median', 'spread': '(quantity_q3 - quantity_q1)', 'score_spread': 'quantity_iqr',
            'lower': 'quantity_q1 - ' ~ limits.iqr_fence ~ ' * (quantity_q3 - quantity_q1)',
            'upper': 'quantity_q3 + ' ~ limits.iqr_fence ~ ' * (quantity_q3 - quantity_q1)', 'reaches': false},
    } -%}
    {%- for name, column, observed, centre, spread, limit, reaches in [
        ('quantity_mad', 'quantity', 'quantity', 'quantity_median', 'quantity_spread', limits.robust_z, false),
        ('amount_z', 'total_amount', 'amount', 'amount_mean', 'amount_deviation', limits.z, true),
        ('amount_mad', 'total_amount', 'amount', 'amount_median', 'amount_spread', limits.robust_z, false),
    ] -%}
        {%- do rules.update({name: {
            'column': column, 'observed': observed, 'centre': centre, 'spread': spread, 'score_spread': spread, 'reaches': reaches,
            'lower': centre ~ ' - ' ~ limit ~ ' * ' ~ spread, 'upper': centre ~ ' + ' ~ limit ~ ' * ' ~ spread,
        }}) -%}
    {%- endfor -%}
    {{ return(rules) }}
{%- endmacro %}

{#- Rules that a line breaks by itself: name -> column, condition on a line, and what a finding tells of it. -#}
{% macro line_rules() -%}
    {%- set nothing = 'cast(null as double)' -%}
    {%- set of_key = {'observed': nothing, 'lower_bound': nothing, 'upper_bound': nothing, 'score': nothing} -%}
    {{ return({
        'total_mismatch': {
            'column': 'total_amount', 'condition': 'is_mismatch', 'observed': 'amount', 'lower_bound': 'expected_amount',
            'upper_bound': 'expected_amount', 'score': 'round(amount - expected_amount, 6)',
        },
        'negative_price': {
            'column': 'unit_price', 'condition': 'unit_price < 0', 'observed': 'unit_price', 'lower_bound': 'cast(0 as double)',
            'upper_bound': nothing, 'score': nothing,
        },
        'no_amount': dict(of_key, column='total_amount', condition='amount is null'),
        'unknown_order': dict(of_key, column='order_id', condition='order_status is null'),
        'unknown_product': dict(of_key, column='product_id', condition="product_id is not null and product_key = '" ~ unknown_member() ~ "'"),
    }) }}
{%- endmacro %}

{#- Whether a line breaks a rule; bounds are null where a product has too few lines, or all of them are alike. -#}
{% macro breaks(name, rule) -%}
    is_sale and ({{ rule.observed }} {{ '<=' if rule.reaches else '<' }} {{ name }}_lower or {{ rule.observed }} {{ '>=' if rule.reaches else '>' }} {{ name }}_upper)
{%- endmacro %}
