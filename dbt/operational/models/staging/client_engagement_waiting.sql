{{ config(materialized='table') }}

-- Rows of the sheet that nothing is made of yet, with every reason.
select
    tab_name,
    row_number,
    client_id,
    project_code,
    problem
from {{ ref('int_client_engagement_mapped') }}
cross join regexp_split_to_table(problems, '; ') as problem
where problems is not null
