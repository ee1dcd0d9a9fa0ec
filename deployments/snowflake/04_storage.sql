-- The way to S3: an integration holds no key. After it is made, DESCRIBE INTEGRATION says which user and external id the
-- bucket's role must trust. The stage of the landing is made here, so that the loader needs no right on the integration.
use role accountadmin;
create storage integration if not exists ${integration} type = external_stage storage_provider = 'S3' enabled = true
    storage_aws_role_arn = '${aws_role}' storage_allowed_locations = (${locations});
use role securityadmin;
grant usage on integration ${integration} to role sysadmin;
grant usage on integration ${integration} to role ${loader};
use role sysadmin;
create file format if not exists ${database}.raw.landed_parquet type = parquet use_logical_type = true;
create file format if not exists ${database}.raw.delivered_csv type = csv field_optionally_enclosed_by = '"'
    null_if = ('') compression = none timestamp_format = 'YYYY-MM-DD HH24:MI:SS.FF6';
create stage if not exists ${database}.raw.uploads comment = 'files on their way in from a folder, and results on their way out';
create stage if not exists ${database}.raw.landing url = '${landing}' storage_integration = ${integration}
    comment = 'the landing';
use role securityadmin;
grant usage on file format ${database}.raw.landed_parquet to role ${loader};
grant usage on file format ${database}.raw.delivered_csv to role ${loader};
grant read on stage ${database}.raw.uploads to role ${loader};
grant write on stage ${database}.raw.uploads to role ${loader};
grant usage on stage ${database}.raw.landing to role ${loader};
