-- Two databases: where the work is done, and what readers open; each schema is made by the role that owns it
use role sysadmin;
{% for database in [account.database, account.published] %}
create database if not exists {{ database | name }};
alter database {{ database | name }} set data_retention_time_in_days = {{ account.spec.time_travel_days | number }};
{% endfor %}
create schema if not exists {{ name(account.database, "governance") }};
use role securityadmin;
{% for grant in account.grants if grant.kind == "DATABASE" %}
{{ grant.sql }};
{% endfor %}
use role sysadmin;
{# A flow's session makes what is missing with CREATE ... IF NOT EXISTS: these are the same schemas. #}
{% for role, schemas in [(account.role("loader"), loaded), (account.role("transformer"), built)] %}
use role {{ role | name }};
{% for schema in schemas %}
create schema if not exists {{ name(account.database, schema) }};
{% endfor %}
{% endfor %}
use role {{ account.role("transformer") | name }};
{% for team in account.limited_teams %}
create schema if not exists {{ name(account.published, team_schema(team)) }};
{% endfor %}
