{#- CTE `touched` of an incremental model of sales, with a comma after it: the orders of int_sales_touched. -#}
{% macro touched_orders() -%}
    {%- set touched = ref('int_sales_touched') -%}
    {%- if is_incremental() -%} touched as (select order_id from {{ touched }}), {%- endif -%}
{%- endmacro %}

{#- The same for a model by customer: those of int_customers_touched. -#}
{% macro touched_customers() -%}
    {%- set touched = ref('int_customers_touched') -%}
    {%- if is_incremental() -%} touched as (select customer_id from {{ touched }}), {%- endif -%}
{%- endmacro %}

{#-
    The same for a model by day or month: the periods of touched orders, before and after. Where the run goes back, an order may fall back to
    what was known of it long ago.
-#}
{% macro touched_periods(name, period) -%}
    {%- set touched, orders = ref('int_sales_touched'), ref('fact_orders') -%}
    {%- if is_incremental() -%}
    touched as (
        {%- for column in ['ordered_on', 'first_landed_on', 'last_landed_on'] %}
        select {{ period.replace('ordered_on', column) }} as {{ name }} from {{ touched }} where {{ column }} is not null
        {{ 'union' if not loop.last }}
        {%- endfor %}
        {%- if goes_back() %}
        union
        select {{ period }} as {{ name }} from {{ orders }} where order_id in (select order_id from {{ touched }})
        {%- endif %}
    ),
    {%- endif -%}
{%- endmacro %}

{#-
    Condition on ordered_on that lets an engine skip what lies before every touched order, as a literal; rows without a day are read apart.
    A run that goes back reads all. `column`: another one to compare; `whole_months`: from the first day of that month on.
-#}
{% macro since_touched(column='ordered_on', whole_months=false) -%}
    {%- set touched = ref('int_sales_touched') -%}
    {%- if not execute or goes_back() -%} {{ return('true') }} {%- endif -%}
    {%- set found = run_query('select min(least(coalesce(ordered_on, first_landed_on), coalesce(first_landed_on, ordered_on))) from ' ~ touched) -%}
    {%- set day = found.columns[0].values()[0] | string -%}
    {{ return(column ~ " >= date '" ~ (day[:8] ~ '01' if whole_months else day) ~ "'" if day != 'None' else column ~ ' is null') }}
{%- endmacro %}
