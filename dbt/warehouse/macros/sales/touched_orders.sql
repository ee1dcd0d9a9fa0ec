{#-
    CTE `touched` of an incremental model: the orders (order_id) whose rows the run makes anew. `landed` maps each raw table that a row comes
    from to the column that keeps the day from which its part is known. Touched are the orders that landed in the run's days, and where the
    run goes back, what was known from those days. `keys` maps a dimension to a relation that names its id, order_id and ordered_on: touched
    is also what was ordered in the run's days or by, or of, somebody or something new, and what stands on a version that is gone.
-#}
{% macro touched_orders(landed, keys={}) -%}
{%- set run_rows = [] -%}
{%- for table in landed -%}
    {%- do run_rows.append(effective_rows('shop', table, 'between ' ~ first_day() ~ ' and ' ~ as_of())) -%}
{%- endfor -%}
{%- if is_incremental() -%}
touched as (
    {%- for rows in run_rows %}
    {{ 'union' if not loop.first }}
    select order_id from ({{ rows }}) as landed
    {%- endfor %}
    {%- for column in landed.values() %}
    {%- if not goes_on(this, column) %}
    union
    select order_id from {{ this }} where {{ column }} >= {{ first_day() }}
    {%- endif %}
    {%- endfor %}
    {%- for name, facts in keys.items() %}
    {%- set dimension = ref('dim_' ~ name ~ 's') %}
    union
    select order_id from {{ this }} where ordered_on >= {{ first_day() }} or ordered_on is null
    union
    select order_id from {{ facts }} where {{ name }}_id in (
        select {{ name }}_id from {{ dimension }} where {{ name }}_id is not null
        group by {{ name }}_id having min(valid_from) >= {{ first_day() }}
    )
    union
    select order_id from {{ this }} where {{ name }}_key not in (select {{ name }}_key from {{ dimension }})
    {%- endfor %}
),
{%- endif -%}
{%- endmacro %}
