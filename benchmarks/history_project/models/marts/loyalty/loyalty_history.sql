{{ config(
    materialized='incremental', incremental_strategy='recut', schema='marts', meta={'recut': {'key': ['user_id']}}
) }}

with days as (
    select distinct as_of as state_on, cast(null as date) as next_state_on
    from {{ source('ops', 'effective_batches') }}
    where as_of between {{ first_day() }} and {{ as_of() }}
),

states as (
    select * from world.states
),

{{ recut_history(key=['user_id'], tracked=var('tracked')) }}
