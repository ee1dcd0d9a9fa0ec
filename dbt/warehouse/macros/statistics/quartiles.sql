{#- Quartiles of a number in groups, after type 7 (linear between the two nearest), as three double columns <prefix>_q1, _median and _q3. -#}
{% macro quartiles(value, prefix) -%}
    {{ return(adapter.dispatch('quartiles', 'regulars')(value, prefix)) }}
{%- endmacro %}

{% macro duckdb__quartiles(value, prefix) -%}
    {#- The same aggregate three times is computed once. #}
    {%- set quantiles = 'quantile_cont(' ~ value ~ ', [0.25, 0.5, 0.75])' %}
    {{ quantiles }}[1] as {{ prefix }}_q1,
    {{ quantiles }}[2] as {{ prefix }}_median,
    {{ quantiles }}[3] as {{ prefix }}_q3
{%- endmacro %}

{% macro snowflake__quartiles(value, prefix) -%}
    cast(percentile_cont(0.25) within group (order by {{ value }}) as double) as {{ prefix }}_q1,
    cast(percentile_cont(0.5) within group (order by {{ value }}) as double) as {{ prefix }}_median,
    cast(percentile_cont(0.75) within group (order by {{ value }}) as double) as {{ prefix }}_q3
{%- endmacro %}

{#-
    Sample standard deviation from the deviations from a mean that is known already: no digits are lost where the mean is large beside the
    spread (NIST StRD, univariate). Null under two values.
-#}
{% macro deviation_around(value, mean) -%}
    sqrt(sum(({{ value }} - {{ mean }}) * ({{ value }} - {{ mean }})) / nullif(count({{ value }}) - 1, 0))
{%- endmacro %}

{#-
    Robust spread: the median absolute deviation from a median that is known already, made comparable to a standard deviation (Rousseeuw and
    Croux 1993). Where more than half of the values are alike it would be next to nothing: it is at least that of the quartiles.
-#}
{% macro spread_around(value, median, q1, q3) -%}
    greatest(1.4826 * median(abs({{ value }} - {{ median }})), max({{ q3 }} - {{ q1 }}) / 1.349)
{%- endmacro %}
