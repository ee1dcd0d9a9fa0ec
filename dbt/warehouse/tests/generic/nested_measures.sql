{#- In each chain no measure is greater than the next: a week lies within a month, what is open is part of all. -#}
{% test nested_measures(model, chains) %}
select * from {{ model }}
where false
{%- for chain in chains %}
    {%- for name in chain[:-1] %}
    or {{ name }} > {{ chain[loop.index] }}
    {%- endfor %}
{%- endfor %}
{% endtest %}
