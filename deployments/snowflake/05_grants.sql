-- Privileges, the least that works; a publication grants its new schemas itself, to the roles of REGULARS_SNOWFLAKE__READERS
use role securityadmin;
{% for grant in account.grants if grant.future or (grant.kind not in ["DATABASE", "STAGE", "FILE FORMAT"] and grant.privilege != "OWNERSHIP") %}
{{ grant.sql }};
{% endfor %}
{# What was published before the reader was there. #}
grant usage on all schemas in database {{ account.published | name }} to role {{ account.role("reader") | name }};
{% for kind in ["tables", "views"] %}
grant select on all {{ statement(kind) }} in database {{ account.published | name }} to role {{ account.role("reader") | name }};
{% endfor %}
