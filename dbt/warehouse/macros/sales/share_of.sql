{#- A part as a share of a whole, rounded to `digits`; null where the whole is nothing. -#}
{% macro share_of(part, whole, digits=6, type='decimal(18,6)') -%}
    cast(round(cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0), {{ digits }}) as {{ type }})
{%- endmacro %}

{#- How a figure moved from one stretch to the next, -1 (all gone) to 1 (all new); null where both are nothing. -#}
{% macro trend_of(now, before) -%}
    {{ share_of(now ~ ' - ' ~ before, 'abs(' ~ now ~ ') + abs(' ~ before ~ ')') }}
{%- endmacro %}
