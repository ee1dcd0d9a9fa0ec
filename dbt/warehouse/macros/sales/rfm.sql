{#-
    Score 1 to 5 of a value by four thresholds, after package `rfm` for R: bin i holds what is >= threshold i and < threshold i + 1, and
    a threshold is the type-7 quantile (0.2, 0.4, 0.6, 0.8) plus one. `falling`: the smallest values score 5.
-#}
{% macro rfm_score(value, falling=false) -%}
    cast(case
        {%- for bin in range(1, 5) %}
        when {{ value }} < {{ value }}_{{ bin }} then {{ 6 - bin if falling else bin }}
        {%- endfor %}
        else {{ 1 if falling else 5 }}
    end as bigint)
{%- endmacro %}

{% macro rfm_thresholds(value) -%}
    {%- for bin in range(1, 5) %}
    cast(round(percentile_cont({{ bin * 2 / 10 }}) within group (order by cast({{ value }} as double)) + 1, 6) as decimal(18,6)) as {{ value }}_{{ bin }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
