-- Roles: loader, transformer, reader, dashboard and one for each team; the administrators inherit them all
use role useradmin;
{% for role in account.all_roles %}
create role if not exists {{ role | name }};
{% endfor %}
use role securityadmin;
{% for role in account.all_roles %}
grant role {{ role | name }} to role sysadmin;
{% endfor %}
