{{ config(materialized='view') }}

{%- for name, rule in statistical_rules().items() %}
select
    '{{ name }}' as rule, '{{ rule.column }}' as column_name, lines.order_id, lines.line_id, lines.product_id, lines.ordered_on, lines.landed_on,
    {{ rule.observed }} as observed, {{ name }}_lower as lower_bound, {{ name }}_upper as upper_bound,
    round(({{ rule.observed }} - {{ rule.centre }}) / nullif({{ rule.score_spread }}, 0), 6) as score
from {{ ref('int_odd_lines') }} as lines
inner join {{ ref('int_line_statistics') }} as statistics on lines.product_id = statistics.product_id
where lines.breaks_{{ name }}
union all
{%- endfor %}
{%- for name, rule in line_rules().items() %}
select
    '{{ name }}' as rule, '{{ rule.column }}' as column_name, order_id, line_id, product_id, ordered_on, landed_on,
    {{ rule.observed }} as observed, {{ rule.lower_bound }} as lower_bound, {{ rule.upper_bound }} as upper_bound, {{ rule.score }} as score
from {{ ref('int_odd_lines') }}
where breaks_{{ name }}
{{ 'union all' if not loop.last }}
{%- endfor %}
