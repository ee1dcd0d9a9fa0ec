{#- No column is below zero. -#}
{% test non_negative(model, columns) %}
select * from {{ model }}
where {% for name in columns %}{{ name }} < 0{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
