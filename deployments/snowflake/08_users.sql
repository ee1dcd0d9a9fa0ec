-- Logins of services, by key pair and without a password
use role useradmin;
{% for user, role, layer in [(account.spec.loader, "transformer", "load"), (account.spec.dashboard, "dashboard", "read")] if user %}
create user if not exists {{ user.name | name }} type = service
    default_role = {{ account.role(role) | name }} default_warehouse = {{ account.warehouse_of(layer) | name }};
{% if user.public_key_file %}
alter user {{ user.name | name }} set rsa_public_key = {{ public_key(user.public_key_file) | text }};
{% endif %}
{% endfor %}
use role securityadmin;
{% for user, role in [(account.spec.loader, "transformer"), (account.spec.dashboard, "dashboard")] if user %}
grant role {{ account.role(role) | name }} to user {{ user.name | name }};
{% endfor %}
