{#- The additive measures of a user's day, in the order of the columns of user_daily_activity, with their types. -#}
{% macro activity_measures() -%}
    {%- set measures = {'row_count': 'bigint', 'login_count': 'bigint', 'purchase_count': 'bigint', 'feedback_count': 'bigint', 'purchase_amount': 'decimal(18,2)'} -%}
    {%- for name in [
        'support_call_count', 'support_chat_count', 'ticket_count', 'open_ticket_count', 'service_request_count', 'open_service_request_count',
        'help_view_count', 'repeat_engagement_count', 'retention_action_count', 'feature_count', 'score_count',
    ] -%}
        {%- do measures.update({name: 'bigint'}) -%}
    {%- endfor -%}
    {%- do measures.update({'score_points': 'decimal(18,2)'}) -%}
    {{ return(measures) }}
{%- endmacro %}
