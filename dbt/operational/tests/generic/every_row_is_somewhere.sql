{#- Rows of the sheet are staged, superseded or waiting: none is lost, none is counted twice. -#}
{% test every_row_is_somewhere(model) %}
with counts as (
    select
        (select count(*) from {{ ref('int_client_engagement_mapped') }}) as filled,
        (select count(*) from {{ model }}) as staged,
        (select count(*) from {{ ref('int_client_engagement_ranked') }} where rank_from_below > 1) as superseded,
        (select count(*) from (select distinct tab_name, row_number from {{ ref('client_engagement_waiting') }}) as places) as waiting
)

select * from counts where filled <> staged + superseded + waiting
{% endtest %}
