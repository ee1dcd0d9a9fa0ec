{{ config(materialized='incremental', incremental_strategy='recut', meta={'recut': {'key': ['product_id'], 'changed_only': true}}) }}

{%- set key, tracked = ['product_id'], tracked_of_products() %}

with {{ dimension_versions(ref('stg_shop__products'), key, tracked) }},

{{ recut_history(key, tracked, changed_only=true) }}
