-- Tables of raw, quarantine and ops, with the engine's own statements; stages and file formats
use role {{ account.role("loader") | name }};
use database {{ account.database | name }};
{% for table in account.raw_tables %}
{{ statement(table) }};
{% endfor %}
create stage if not exists {{ name(account.database, "raw", "uploads") }};
create file format if not exists {{ name(account.database, "raw", "landed_parquet") }} type = parquet use_logical_type = true;
{% if account.landing_url and account.integration %}
create stage if not exists {{ name(account.database, "raw", "landing") }} url = {{ account.landing_url | text }}
    storage_integration = {{ account.integration | name }};
{% endif %}
{% if account.delivery_url and account.integration %}
use role {{ account.role("transformer") | name }};
{% for team in account.limited_teams %}
create file format if not exists {{ name(account.published, team_schema(team), "delivered_csv") }} type = csv
    skip_header = 1 field_optionally_enclosed_by = '"' empty_field_as_null = true;
create file format if not exists {{ name(account.published, team_schema(team), "delivered_parquet") }} type = parquet use_logical_type = true;
{% for number, url in account.stages_of(team) %}
create stage if not exists {{ name(account.published, team_schema(team), "deliveries_" ~ number) }} url = {{ url | text }}
    storage_integration = {{ account.integration | name }};
{% endfor %}
{% endfor %}
use role securityadmin;
{% for grant in account.grants if grant.kind in ["STAGE", "FILE FORMAT"] and not grant.future %}
{{ grant.sql }};
{% endfor %}
{% endif %}
