{{ config(materialized='incremental', incremental_strategy='replace_days') }}

{{ new_versions('dw_a', 'retention_action', this) }}
