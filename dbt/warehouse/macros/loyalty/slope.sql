{#-
    Least-squares slope per day, decimal(9,4), null under two points, from the sums over the points (x in whole days):
    count, x, x * x, and y and x * y in hundredths. Only whole numbers are added and multiplied, so engines cannot differ.
-#}
{% macro slope(n, x, xx, y_hundredths, xy_hundredths) -%}
    cast(cast(round(
        cast(({{ n }} * {{ xy_hundredths }} - {{ x }} * {{ y_hundredths }}) * 100 as double)
        / nullif(cast({{ n }} * {{ xx }} - {{ x }} * {{ x }} as double), 0)
    ) as double) / 10000 as decimal(9,4))
{%- endmacro %}
