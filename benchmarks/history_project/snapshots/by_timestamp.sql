{% snapshot by_timestamp %}
{{ config(schema='snapshots', unique_key='user_id', strategy='timestamp', updated_at='updated_at', hard_deletes='invalidate') }}
select user_id, {{ var('tracked') | join(', ') }}, updated_at from world.states
{% endsnapshot %}
