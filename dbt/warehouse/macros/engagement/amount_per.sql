{#-
    An amount of two decimal places by a count, to cents, halves away from zero; null where there is no count. In whole numbers: of doubles
    such as 4.985 engines do not agree to which side they are rounded.
-#}
{% macro amount_per(amount, count) -%}
    {%- set cents, divisor = 'cast(' ~ amount ~ ' * 100 as bigint)', 'nullif(' ~ count ~ ', 0)' -%}
    {%- set halves = '(2 * abs(' ~ cents ~ ') + ' ~ divisor ~ ')' -%}
    cast(sign({{ cents }}) * cast(({{ halves }} - mod({{ halves }}, 2 * {{ divisor }})) / (2 * {{ divisor }}) as bigint) * 0.01 as decimal(18,2))
{%- endmacro %}
