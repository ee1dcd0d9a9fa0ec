-- Privileges, the least that works; on future objects where a publication swaps whole schemas in
use role securityadmin;
{% for grant in account.grants if grant.kind not in ["DATABASE", "STAGE", "FILE FORMAT"] or grant.future %}
{{ grant.sql }};
{% endfor %}
{# What an earlier version of the set-up, or the flows themselves, made before there were these roles. #}
{% for kind in ["tables", "views"] %}
grant select on all {{ statement(kind) }} in database {{ account.published | name }} to role {{ account.role("reader") | name }};
{% endfor %}
grant usage on all schemas in database {{ account.published | name }} to role {{ account.role("reader") | name }};
