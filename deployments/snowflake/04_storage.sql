-- A storage integration for the buckets of landings and deliveries; DESC INTEGRATION gives what the AWS role has to trust
{% if account.integration and account.locations and account.spec.storage_role_arn %}
use role accountadmin;
create storage integration if not exists {{ account.integration | name }} type = external_stage storage_provider = 'S3'
    enabled = true storage_aws_role_arn = {{ account.spec.storage_role_arn | text }}
    storage_allowed_locations = ({% for url in account.locations %}{{ url | text }}{% if not loop.last %}{{ statement(", ") }}{% endif %}{% endfor %});
alter storage integration {{ account.integration | name }} set enabled = true
    storage_aws_role_arn = {{ account.spec.storage_role_arn | text }}
    storage_allowed_locations = ({% for url in account.locations %}{{ url | text }}{% if not loop.last %}{{ statement(", ") }}{% endif %}{% endfor %});
{% endif %}
