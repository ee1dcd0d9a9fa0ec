{#-
    Outcomes by which treated and held-out members are compared: name -> kind and the value of a member, from sums over the days of his window.
    A mean is compared as such; a rate is the share of members with value 1.
-#}
{% macro uplift_outcomes() -%}
    {{ return({
        'orders': {'kind': 'mean', 'value': 'purchase_count'},
        'spend': {'kind': 'mean', 'value': 'purchase_amount'},
        'logins': {'kind': 'mean', 'value': 'login_count'},
        'buyers': {'kind': 'rate', 'value': 'case when purchase_count > 0 then 1 else 0 end'},
        'active': {'kind': 'rate', 'value': 'case when login_count > 0 then 1 else 0 end'},
    }) }}
{%- endmacro %}

{#- Whether a member of a segment agreed to be addressed, by the consent that the segment's delivery names; `state`: alias of history. -#}
{% macro agreed(segment, state) -%}
    {%- for node in graph.get('nodes', {}).values() | sort(attribute='name') if node.config.get('meta', {}).get('delivery', {}).get('consent') %}
    ({{ segment }} <> '{{ node.name }}' or coalesce({{ state }}.{{ node.config.meta.delivery.consent }}, false)) and
    {%- endfor %} true
{%- endmacro %}

{#- A statistic as it is shown and compared with limits. -#}
{% macro as_figure(expression) -%}
    cast(round({{ expression }}, 6) as decimal(28, 6))
{%- endmacro %}

{#-
    CTEs up to `judged`: difference of the arms with its interval, the least uplift that matters, and the held-out members that it takes to see it.
    Means by Welch, rates by Newcombe; null under two members in an arm, and where no value varies.
-#}
{% macro compared_arms(relation, rules) -%}
{%- set samples = ['treated_variance', 'treated_n', 'held_out_variance', 'held_out_n'] -%}
errors as (
    select
        *,
        case when kind = 'mean' then {{ welch_error(*samples) }} end as squared_error,
        case when kind = 'mean' then {{ welch_freedom(*samples) }} end as freedom
        {%- for arm in ['treated', 'held_out'] %},
        case when kind = 'rate' then {{ wilson_bound(arm ~ '_mean', arm ~ '_n', '-') }} end as {{ arm }}_low,
        case when kind = 'rate' then {{ wilson_bound(arm ~ '_mean', arm ~ '_n', '+') }} end as {{ arm }}_high
        {%- endfor %}
    from {{ relation }}
),

intervals as (
    select
        *,
        abs(held_out_mean) * {{ rules.least_uplift }} as least_difference,
        case
            when kind = 'mean' then treated_mean - held_out_mean - {{ t_95('freedom') }} * sqrt(squared_error)
            else {{ newcombe_bound('treated_mean', 'treated_low', 'held_out_mean', 'held_out_high', '-') }}
        end as lower_bound,
        case
            when kind = 'mean' then treated_mean - held_out_mean + {{ t_95('freedom') }} * sqrt(squared_error)
            else {{ newcombe_bound('treated_mean', 'treated_high', 'held_out_mean', 'held_out_low', '+') }}
        end as upper_bound
    from errors
),

judged as (
    select
        *,
        {{ as_figure('treated_mean - held_out_mean') }} as difference,
        {{ as_figure('lower_bound') }} as difference_lower,
        {{ as_figure('upper_bound') }} as difference_upper,
        {{ members_for_power('treated_variance', 'held_out_variance', 'arms_ratio', 'least_difference') }} as held_out_for_power
    from intervals
)
{%- endmacro %}

{#- What may be said, and why; the first that holds. Columns of `judged`. -#}
{% macro uplift_verdicts(rules) -%}
    {%- set pct = "%g" | format(rules.least_uplift * 100) -%}
    {{ return([
        ('holdout_pct = 0', 'cannot tell yet', 'nobody is held out'),
        ('treated_members + held_out_members = 0', 'cannot tell yet', 'no window of ' ~ rules.window_days ~ ' days is over'),
        ('least(treated_members, held_out_members) < ' ~ rules.least_members, 'cannot tell yet', 'fewer than ' ~ rules.least_members ~ ' members in an arm'),
        ('difference_lower is null', 'cannot tell yet', 'no two members of an arm differ'),
        ('difference_lower > 0', 'uplift', 'the interval lies above 0'),
        ('difference_upper < 0', 'no uplift', 'held-out members did better'),
        ('difference_upper < ' ~ as_figure('least_difference'), 'no uplift', 'an uplift of ' ~ pct ~ ' % is ruled out'),
        ('held_out_mean = 0', 'cannot tell yet', 'held-out members have nothing to compare with'),
        ('true', 'cannot tell yet', 'the interval holds both 0 and an uplift of ' ~ pct ~ ' %'),
    ]) }}
{%- endmacro %}

{% macro uplift_status(rules) -%}
    case
        {%- for condition, status, _ in uplift_verdicts(rules) %}
        when {{ condition }} then '{{ status }}'
        {%- endfor %}
    end
{%- endmacro %}

{% macro uplift_reason(rules) -%}
    case
        {%- for condition, _, reason in uplift_verdicts(rules) %}
        when {{ condition }} then '{{ reason }}'
        {%- endfor %}
    end
{%- endmacro %}

{#- Members that an arm still lacks for the power asked for, `ratio` to one of the held out; null where nothing says how many it takes. -#}
{% macro still_needed(rules, arm, ratio) -%}
    case
        when held_out_for_power is not null
            then greatest(
                cast(greatest(ceil(round(least(held_out_for_power * {{ ratio }}, 1e12), 3)), {{ rules.least_members }}) as bigint) - {{ arm }}_members, 0
            )
    end
{%- endmacro %}
