{#-
    Comparison of two independent samples, treated and held out, at 95 % (two-sided) and for 80 % power, from exact sums. Arguments are
    expressions of type double: members n, mean m or share p, variance v.
-#}
{%- macro z_95() -%} cast(1.959963984540054 as double) {%- endmacro -%}

{#- Sample variance from the exact sums of values and of their squares; null under two members. -#}
{% macro variance_from(total, squares, n) -%}
    {%- set deviations = '(cast(' ~ squares ~ ' as double) - cast(' ~ total ~ ' as double) * cast(' ~ total ~ ' as double) / ' ~ n ~ ')' -%}
    case when {{ deviations }} < 0 then 0 else {{ deviations }} end / nullif({{ n }} - 1, 0)
{%- endmacro %}

{#- Squared standard error of the difference of two means (Welch 1947). -#}
{% macro welch_error(v1, n1, v2, n2) -%}
    ({{ v1 }} / {{ n1 }} + {{ v2 }} / {{ n2 }})
{%- endmacro %}

{#- Its degrees of freedom (Satterthwaite 1946). -#}
{% macro welch_freedom(v1, n1, v2, n2) -%}
    ({{ welch_error(v1, n1, v2, n2) }} * {{ welch_error(v1, n1, v2, n2) }} / nullif(
        {{ v1 }} * {{ v1 }} / ({{ n1 }} * {{ n1 }} * ({{ n1 }} - 1)) + {{ v2 }} * {{ v2 }} / ({{ n2 }} * {{ n2 }} * ({{ n2 }} - 1)), 0
    ))
{%- endmacro %}

{#-
    The 0.975 quantile of Student's t with f degrees of freedom, as an expansion around that of the normal distribution (Abramowitz and Stegun
    26.7.5): wrong by less than 1e-5 from 10 degrees on, by less than 1e-7 from 29.
-#}
{% macro t_95(f) -%}
    ({{ z_95() }} + 2.372271230298562 / {{ f }} + 2.8224986157396112 / ({{ f }} * {{ f }})
        + 2.555849679507722 / ({{ f }} * {{ f }} * {{ f }}) + 1.5895340533938225 / ({{ f }} * {{ f }} * {{ f }} * {{ f }}))
{%- endmacro %}

{#- Bound of the score interval of a share (Wilson 1927), without continuity correction; `sign` is + or -. -#}
{% macro wilson_bound(p, n, sign) -%}
    {%- set z = z_95() -%}
    (({{ p }} + {{ z }} * {{ z }} / (2 * {{ n }}) {{ sign }} {{ z }} * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z }} * {{ z }} / (4 * {{ n }} * {{ n }})))
        / (1 + {{ z }} * {{ z }} / {{ n }}))
{%- endmacro %}

{#- Bound of the difference of two shares from their score intervals (Newcombe 1998, method 10). -#}
{% macro newcombe_bound(p1, n1, p2, n2, sign) -%}
    {%- set other = '-' if sign == '+' else '+' -%}
    ({{ p1 }} - {{ p2 }} {{ sign }} sqrt(
        ({{ p1 }} - {{ wilson_bound(p1, n1, sign) }}) * ({{ p1 }} - {{ wilson_bound(p1, n1, sign) }})
        + ({{ p2 }} - {{ wilson_bound(p2, n2, other) }}) * ({{ p2 }} - {{ wilson_bound(p2, n2, other) }})
    ))
{%- endmacro %}

{#-
    Members that the second sample needs so that a test at 5 % (two-sided) finds a difference `effect` with a power of 80 %, while the first one
    has `ratio` times as many: (z_0.975 + z_0.8)^2 (v1 / ratio + v2) / effect^2, the usual normal approximation.
-#}
{% macro members_for_power(v1, v2, ratio, effect) -%}
    (7.848879734349088 * ({{ v1 }} / {{ ratio }} + {{ v2 }}) / nullif({{ effect }} * {{ effect }}, 0))
{%- endmacro %}
