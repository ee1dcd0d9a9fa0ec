-- Columns that contracts mark as personal carry a tag, and whoever has not the loader's role sees *** there. Generated
-- from the contracts: run it again after one has changed. Masking by tags needs Enterprise edition.
use role sysadmin;
${raw_table};
create tag if not exists ${database}.governance.personal_data
    allowed_values 'email', 'name', 'phone', 'address', 'free_text', 'id';
create masking policy if not exists ${database}.governance.mask_personal_text as (value varchar) returns varchar ->
    case when is_role_in_session('${loader}') then value else '***' end;
use role accountadmin;
alter tag ${database}.governance.personal_data set masking policy ${database}.governance.mask_personal_text force;
alter table ${database}.raw.${personal_table} modify column ${personal_column}
    set tag ${database}.governance.personal_data = '${personal_kind}';
use role securityadmin;
grant ownership on table ${database}.raw.${table} to role ${loader} copy current grants;
