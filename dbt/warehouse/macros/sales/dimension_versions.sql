{#-
    What a dimension's history is cut from: CTEs `versions` and `touched` for `recut_history(changed_only=true)`, from a staging model
    with the columns <key>, <tracked>, landed_on and is_deleted.
-#}
{% macro dimension_versions(staging, key, tracked) -%}
{%- set keys = key | join(', ') -%}
versions as (
    select
        {{ (key + tracked) | join(', ') }},
        is_deleted,
        landed_on as state_on,
        lead(landed_on) over (partition by {{ keys }} order by landed_on) as next_state_on
    from {{ staging }}
    where landed_on between {{ first_day() }} and {{ as_of() }}
)
{%- if is_incremental() %},

touched as (
    select {{ keys }} from versions
    union
    select {{ keys }} from {{ this }} where valid_from >= {{ first_day() }} or valid_to >= {{ first_day() }}
)
{%- endif %}
{%- endmacro %}

{#- The columns whose change opens a new stretch in the history of a dimension. -#}
{% macro tracked_of_customers() -%}
    {{ return(['email_hash', 'phone_hash', 'country', 'region', 'city', 'customer_group', 'signed_up_on']) }}
{%- endmacro %}

{% macro tracked_of_products() -%}
    {{ return(['product_name', 'category_id', 'brand', 'list_price']) }}
{%- endmacro %}

{#-
    A dimension with keys of its versions, from its history: `name_key` is the natural key, `@` and the day from which the version holds.
    Facts join to the version of their day, those before the first one to the first: effective_from is open there.
    One more row, `unknown`, stands for what a fact names and nothing is known of. `touched`: a relation with the natural keys that a run
    makes anew, for an incremental dimension; the unknown member is there already.
-#}
{% macro dimension_of(history, name, tracked, touched=none) -%}
with versions as (
    select
        history.*,
        row_number() over (partition by {{ name }}_id order by valid_from) = 1 as is_first,
        valid_to is null as is_current
    from {{ history }} as history
    {{ 'where ' ~ name ~ '_id in (select ' ~ name ~ '_id from ' ~ touched ~ ')' if touched }}
)

select
    {{ name }}_id || '@' || cast(valid_from as varchar) as {{ name }}_key,
    {{ name }}_id,
    {%- for column in tracked %}
    {{ column }},
    {%- endfor %}
    valid_from,
    valid_to,
    case when is_first then date '0001-01-01' else valid_from end as effective_from,
    coalesce(valid_to, date '9999-12-31') as effective_to,
    is_current,
    is_deleted
from versions
{%- if not touched %}
union all
select
    '{{ unknown_member() }}' as {{ name }}_key,
    null as {{ name }}_id,
    {%- for column in tracked + ['valid_from', 'valid_to', 'effective_from', 'effective_to'] %}
    null as {{ column }},
    {%- endfor %}
    true as is_current,
    false as is_deleted
{%- endif %}
{%- endmacro %}

{#- The columns of such a dimension. -#}
{% macro columns_of_dimension(name, tracked) -%}
    {{ return([name ~ '_key', name ~ '_id'] + tracked + ['valid_from', 'valid_to', 'effective_from', 'effective_to', 'is_current', 'is_deleted']) }}
{%- endmacro %}

{#- Key of the row that stands for a member nobody knows. -#}
{% macro unknown_member() -%} unknown {%- endmacro %}
