{% snapshot by_check %}
{{ config(schema='snapshots', unique_key='user_id', strategy='check', check_cols=var('tracked'), hard_deletes='invalidate') }}
select user_id, {{ var('tracked') | join(', ') }} from world.states
{% endsnapshot %}
