{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{{ new_versions('dw_a', 'feature_adoption', this) }}
