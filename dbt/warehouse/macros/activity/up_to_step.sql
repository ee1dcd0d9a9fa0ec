{#- A run that adds one day makes one step of all that landed: what sums up over steps would sort every user for nothing. -#}
{%- macro is_one_step() -%}
    {{ return(carried_until() and first_day() | trim == as_of() | trim) }}
{%- endmacro -%}

{#- `aggregate` of `column` over a user's steps, each with those before it. -#}
{%- macro up_to_step(aggregate, column) -%}
    {%- if is_one_step() -%}
        {{ column }}
    {%- else -%}
        {{ aggregate }}({{ column }}) over (partition by user_id order by step_on rows between unbounded preceding and current row)
    {%- endif -%}
{%- endmacro -%}
