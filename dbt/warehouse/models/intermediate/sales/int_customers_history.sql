{{ config(materialized='incremental', incremental_strategy='recut', meta={'recut': {'key': ['customer_id'], 'changed_only': true}}) }}

{%- set key, tracked = ['customer_id'], tracked_of_customers() %}

with {{ dimension_versions(ref('stg_shop__customers'), key, tracked) }},

{{ recut_history(key, tracked, changed_only=true) }}
