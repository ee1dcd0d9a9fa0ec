{#-
    Comparison of two independent samples, treated and held out, at 95 % (two-sided) and for 80 % power, from exact sums. Arguments are
    expressions: members n, mean m or share p, variance v.
-#}
{%- macro z_95() -%} cast(1.959963984540054 as double) {%- endmacro -%}

{#- A division as doubles, which engines agree on; null where the divisor is 0. -#}
{%- macro ratio(above, below) -%} (cast({{ above }} as double) / nullif({{ below }}, 0)) {%- endmacro -%}

{#- Sample variance from the exact sums of values and of their squares; null under two members. -#}
{% macro variance_from(total, squares, n) -%}
    {%- set deviations = squares ~ ' - ' ~ ratio('cast(' ~ total ~ ' as double) * ' ~ total, n) -%}
    {{ ratio('case when ' ~ deviations ~ ' < 0 then 0 else ' ~ deviations ~ ' end', n ~ ' - 1') }}
{%- endmacro %}

{#- Squared standard error of the difference of two means (Welch 1947). -#}
{% macro welch_error(v1, n1, v2, n2) -%}
    ({{ ratio(v1, n1) }} + {{ ratio(v2, n2) }})
{%- endmacro %}

{#- Its degrees of freedom (Satterthwaite 1946). -#}
{% macro welch_freedom(v1, n1, v2, n2) -%}
    {%- set error = welch_error(v1, n1, v2, n2) -%}
    {%- set parts = [] -%}
    {%- for v, n in [(v1, n1), (v2, n2)] -%}
        {%- do parts.append(ratio(v ~ ' * ' ~ v, n ~ ' * ' ~ n ~ ' * (' ~ n ~ ' - 1)')) -%}
    {%- endfor -%}
    {{ ratio(error ~ ' * ' ~ error, parts | join(' + ')) }}
{%- endmacro %}

{#-
    The 0.975 quantile of Student's t with f degrees of freedom, as an expansion around that of the normal distribution (Abramowitz and Stegun
    26.7.5): wrong by less than 1e-5 from 10 degrees on, by less than 1e-7 from 29.
-#}
{% macro t_95(f) -%}
    ({{ z_95() }}
    {%- for factor in ['2.372271230298562', '2.8224986157396112', '2.555849679507722', '1.5895340533938225'] %}
        + {{ ratio(factor, ([f] * loop.index) | join(' * ')) }}
    {%- endfor %})
{%- endmacro %}

{#- Bound of the score interval of a share (Wilson 1927), without continuity correction; `sign` is + or -. -#}
{% macro wilson_bound(p, n, sign) -%}
    {%- set z = z_95() -%}
    {%- set spread = 'sqrt(' ~ ratio(p ~ ' * (1 - ' ~ p ~ ')', n) ~ ' + ' ~ ratio(z ~ ' * ' ~ z, '4 * ' ~ n ~ ' * ' ~ n) ~ ')' -%}
    {{ ratio(p ~ ' + ' ~ ratio(z ~ ' * ' ~ z, '2 * ' ~ n) ~ ' ' ~ sign ~ ' ' ~ z ~ ' * ' ~ spread, '1 + ' ~ ratio(z ~ ' * ' ~ z, n)) }}
{%- endmacro %}

{#- Bound of the difference of two shares from one bound of each: those of its own `sign` and of the other (Newcombe 1998, method 10). -#}
{% macro newcombe_bound(p1, bound1, p2, bound2, sign) -%}
    ({{ p1 }} - {{ p2 }} {{ sign }} sqrt(power({{ p1 }} - {{ bound1 }}, 2) + power({{ p2 }} - {{ bound2 }}, 2)))
{%- endmacro %}

{#-
    Members that the second sample needs so that a test at 5 % (two-sided) finds a difference `effect` with a power of 80 %, while the first one
    has `arms` times as many: (z_0.975 + z_0.8)^2 (v1 / arms + v2) / effect^2, the usual normal approximation.
-#}
{% macro members_for_power(v1, v2, arms, effect) -%}
    {{ ratio('7.848879734349088 * (' ~ ratio(v1, arms) ~ ' + ' ~ v2 ~ ')', effect ~ ' * ' ~ effect) }}
{%- endmacro %}
