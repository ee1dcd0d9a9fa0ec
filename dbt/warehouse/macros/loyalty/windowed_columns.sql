{#- Measures over the last N business dates, in the order of the marts: name -> (measure, days, type). -#}
{% macro windowed_columns() -%}
    {%- set types = activity_measures() -%}
    {%- set columns = {} -%}
    {%- for measure in ['login_count', 'purchase_count', 'feedback_count', 'purchase_amount'] -%}
        {%- for days in [7, 30, 90] -%}
            {%- do columns.update({measure ~ '_' ~ days ~ 'd': (measure, days, types[measure])}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for measure in ['support_call_count', 'support_chat_count', 'service_request_count', 'help_view_count', 'repeat_engagement_count'] -%}
        {%- do columns.update({measure ~ '_30d': (measure, 30, types[measure])}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
