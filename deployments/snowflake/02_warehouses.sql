-- Virtual warehouses that suspend by themselves, and a monitor that stops them at the month's quota
use role accountadmin;
create resource monitor if not exists {{ (account.database ~ "_MONTH") | name }} with credit_quota = {{ account.spec.credit_quota | number }}
    frequency = monthly start_timestamp = immediately
    triggers on 80 percent do notify on 100 percent do suspend on 110 percent do suspend_immediate;
alter resource monitor {{ (account.database ~ "_MONTH") | name }} set credit_quota = {{ account.spec.credit_quota | number }};
{% for warehouse in account.warehouses %}
create warehouse if not exists {{ warehouse.name | name }} warehouse_size = {{ warehouse.size | word }} initially_suspended = true;
alter warehouse {{ warehouse.name | name }} set warehouse_size = {{ warehouse.size | word }}
    auto_suspend = {{ warehouse.suspend_seconds | number }} auto_resume = true
    resource_monitor = {{ (account.database ~ "_MONTH") | name }};
{% endfor %}
