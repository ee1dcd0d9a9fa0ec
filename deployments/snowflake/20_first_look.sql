-- Sample tables and rows from the contracts, with the constraints that Snowflake has; only when asked for
use role sysadmin;
use warehouse {{ account.warehouse_of("load") | name }};
use database {{ account.database | name }};
create schema if not exists {{ name(account.database, "first_look") }};
{% for contract in first_look.ordered %}
{{ first_look.create(contract) }};
{{ first_look.insert(contract) }};
{% endfor %}
{{ first_look.broken_rules }};
