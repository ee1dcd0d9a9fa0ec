{#- The day by which a line finds the version of its product: that of its order, the newest version where the order is not known. -#}
{% macro day_of_line() -%} coalesce(orders.ordered_on, date '9999-12-30') {%- endmacro %}

{#- Amount of a line: as the source states it, else quantity times unit price, to the cent; null where neither is known. -#}
{% macro line_amount() -%} coalesce(total_amount, cast(round(quantity * unit_price, 2) as decimal(18,2))) {%- endmacro %}

{#-
    What order lines add up to, in the order of the marts: name -> (type, SQL for one line). A line taken out counts nothing. What was
    cancelled or returned before it was a sale of its own counts nothing in net_amount; where it takes back an earlier sale, its quantity is
    negative and so is its amount.
-#}
{% macro line_measures() -%}
    {%- set amount = line_amount() -%}
    {%- set count_of = "case when line_type = '{}' then 1 else 0 end" -%}
    {%- set quantity_of = "case when line_type = '{}' then abs(quantity) else 0 end" -%}
    {%- set amount_of = "case when line_type = '{}' then abs(coalesce(" ~ amount ~ ", 0)) else 0 end" -%}
    {{ return({
        'line_count': ('bigint', "case when line_type <> 'removed' then 1 else 0 end"),
        'sale_line_count': ('bigint', count_of.format('sale')),
        'return_line_count': ('bigint', count_of.format('return')),
        'cancellation_line_count': ('bigint', count_of.format('cancellation')),
        'imputed_line_count': ('bigint', "case when line_type <> 'removed' and total_amount is null and unit_price is not null then 1 else 0 end"),
        'unpriced_line_count': ('bigint', "case when line_type <> 'removed' and total_amount is null and unit_price is null then 1 else 0 end"),
        'sold_quantity': ('decimal(18,3)', "case when line_type = 'sale' then quantity else 0 end"),
        'returned_quantity': ('decimal(18,3)', quantity_of.format('return')),
        'cancelled_quantity': ('decimal(18,3)', quantity_of.format('cancellation')),
        'gross_amount': ('decimal(18,2)', "case when line_type = 'sale' then coalesce(" ~ amount ~ ", 0) else 0 end"),
        'returned_amount': ('decimal(18,2)', amount_of.format('return')),
        'cancelled_amount': ('decimal(18,2)', amount_of.format('cancellation')),
        'net_amount': ('decimal(18,2)', "case when line_type = 'sale' or (line_type <> 'removed' and quantity < 0) then coalesce(" ~ amount ~ ", 0) else 0 end"),
    }) }}
{%- endmacro %}

{#- The measures as sums over lines (or over sums of them), each cast to its type. -#}
{% macro sum_measures(of_lines=true, prefix='') -%}
    {%- for name, (type, sql) in line_measures().items() %}
    cast(sum({{ sql if of_lines else 'coalesce(' ~ prefix ~ name ~ ', 0)' }}) as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
