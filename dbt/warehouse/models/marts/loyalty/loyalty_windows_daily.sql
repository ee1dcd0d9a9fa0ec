{{ config(materialized='view') }}

{{ loyalty_windows() }}
