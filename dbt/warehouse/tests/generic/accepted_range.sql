{#- The column lies between `least` and `most`, both included; null passes. -#}
{% test accepted_range(model, column_name, least, most) %}
select {{ column_name }} from {{ model }}
where {{ column_name }} < {{ least }} or {{ column_name }} > {{ most }}
{% endtest %}
