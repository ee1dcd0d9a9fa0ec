{#- A number as text for people: whole from 100 on, else with two places. -#}
{% macro figure_in_words(value) -%}
    case
        when abs({{ value }}) >= 100 then cast(cast(round({{ value }}) as decimal(38,0)) as varchar)
        else cast(cast(round({{ value }}, 2) as decimal(18,2)) as varchar)
    end
{%- endmacro %}
