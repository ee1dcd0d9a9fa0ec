{#- Rows of the sheet are staged, superseded or waiting: none is lost, none is counted twice. -#}
{% test every_row_is_somewhere(model) %}
with counts as (
    select
        (select count(*) from {{ ref('int_client_engagement_mapped') }}) as filled,
        (select coalesce(sum(1 + superseded_row_count), 0) from {{ model }}) as staged,
        (select count(*) from (select distinct tab_name, row_number from {{ ref('client_engagement_waiting') }}) as waiting) as waiting
)

select * from counts where filled <> staged + waiting
{% endtest %}
