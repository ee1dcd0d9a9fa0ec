{#- The columns whose change opens a new stretch in loyalty_history, in the order of the marts. -#}
{% macro tracked_columns() -%}
    {{ return(attribute_columns() + counted_columns() + [
        'last_activity_on', 'last_retention_action_type', 'last_retention_action_on', 'last_retention_outcome',
        'engagement_score', 'scored_on', 'engagement_band',
    ]) }}
{%- endmacro %}

{% macro attribute_columns() -%}
    {{ return([
        'email_hash', 'phone_hash', 'birth_year', 'gender', 'account_status', 'tier', 'region_code', 'region_name', 'country_code',
        'signed_up_on', 'marketing_consent', 'support_consent', 'low_engagement_score', 'high_engagement_score', 'has_profile',
    ]) }}
{%- endmacro %}

{#- Cumulative since the first landing; all but purchase_amount are counts. -#}
{% macro counted_columns() -%}
    {{ return(activity_measures().keys() | reject('in', ['row_count', 'score_count', 'score_points']) | list) }}
{%- endmacro %}
