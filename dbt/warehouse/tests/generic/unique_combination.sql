{#- No two rows share the columns. With `since` (a date column) only rows of the run's days are looked at. -#}
{% test unique_combination(model, columns, since=none) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
{%- if since %}
where {{ since }} >= {{ first_day() }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
