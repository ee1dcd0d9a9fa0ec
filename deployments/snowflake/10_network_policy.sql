-- A network policy for the loader's login, where account.yml names networks; never for the account, which could lock everybody out
{% if account.spec.allowed_networks %}
use role accountadmin;
create network policy if not exists {{ (account.database ~ "_LOADER") | name }} allowed_ip_list = ({% for one in account.spec.allowed_networks %}{{ (one ~ "") | text }}{% if not loop.last %}{{ statement(", ") }}{% endif %}{% endfor %});
alter network policy {{ (account.database ~ "_LOADER") | name }} set allowed_ip_list = ({% for one in account.spec.allowed_networks %}{{ (one ~ "") | text }}{% if not loop.last %}{{ statement(", ") }}{% endif %}{% endfor %});
alter user {{ account.spec.loader.name | name }} set network_policy = {{ (account.database ~ "_LOADER") | name }};
{% endif %}
