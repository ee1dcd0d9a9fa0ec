-- Personal columns, from the contracts: tagged, and masked by their tag for everybody but the loader (Enterprise edition)
{% if account.spec.masking %}
use role accountadmin;
create tag if not exists {{ name(account.database, "governance", "personal_data") }};
{% for kind in account.masked_types %}
create masking policy if not exists {{ name(account.database, "governance", "mask_" ~ kind) }} as (value {{ kind | word }}) returns {{ kind | word }} ->
    case when is_role_in_session({{ account.role("loader") | text }}) then value end;
alter masking policy {{ name(account.database, "governance", "mask_" ~ kind) }} set body ->
    case when is_role_in_session({{ account.role("loader") | text }}) then value end;
alter tag {{ name(account.database, "governance", "personal_data") }} set masking policy {{ name(account.database, "governance", "mask_" ~ kind) }} force;
{% endfor %}
{% for mask in account.masks %}
alter table {{ name(account.database, mask.schema, mask.table) }} modify column {{ mask.column | name }}
    set tag {{ name(account.database, "governance", "personal_data") }} = {{ mask.kind | text }};
{% endfor %}
{% endif %}
