{{ config(materialized='incremental', incremental_strategy='recut', meta={'recut': {'key': ['user_id']}}) }}

with days as (
    select state_on, next_state_on from {{ ref('int_state_days') }}
),

states as (
    select * from {{ ref('int_loyalty_states') }}
),

{{ recut_history(key=['user_id'], tracked=tracked_columns()) }}
