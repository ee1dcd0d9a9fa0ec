{#- At most the share `at_most` of the rows has no value in the column; fewer than `min_rows` rows say nothing. -#}
{% test null_rate(model, column_name, at_most, min_rows=100) %}
with counted as (
    select count(*) as row_count, count({{ column_name }}) as filled_count
    from {{ model }}
)

select * from counted
where row_count >= {{ min_rows }} and row_count - filled_count > {{ at_most }} * row_count
{% endtest %}
