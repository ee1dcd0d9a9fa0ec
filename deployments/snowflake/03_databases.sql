-- Two databases: where the work is done, and what readers open; each schema belongs to the role that works in it
use role sysadmin;
{% for database in [account.database, account.published] %}
create database if not exists {{ database | name }};
alter database {{ database | name }} set data_retention_time_in_days = {{ account.spec.time_travel_days | number }};
{% endfor %}
{% for schema in ["governance"] + loaded + built %}
create schema if not exists {{ name(account.database, schema) }};
{% endfor %}
use role securityadmin;
{% for grant in account.grants if grant.kind == "DATABASE" or (grant.kind == "SCHEMA" and grant.privilege == "OWNERSHIP") %}
{{ grant.sql }};
{% endfor %}
use role {{ account.role("transformer") | name }};
{% for team in account.limited_teams %}
create schema if not exists {{ name(account.published, team_schema(team)) }};
{% endfor %}
