{#- The master holds exactly the members whom history knows as present on its day. -#}
{% test master_is_open_history(model) %}
with present as (
    select user_id from {{ ref('loyalty_history') }}
    where not is_deleted and {{ in_force(newest_day(), 'valid_from', 'valid_to') }}
)

select coalesce(present.user_id, master.user_id) as user_id
from present
full outer join {{ model }} as master on present.user_id = master.user_id
where present.user_id is null or master.user_id is null
{% endtest %}
