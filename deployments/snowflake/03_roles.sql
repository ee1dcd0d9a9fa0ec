-- The loader writes raw, quarantine and its records; the transformer inherits it and builds, publishes and delivers; a
-- team reads what is published; the dashboard reads records too. Nobody but the loader (and who inherits it) sees raw.
use role useradmin;
create role if not exists ${loader} comment = 'Regulars: loads raw and quarantine';
create role if not exists ${transformer} comment = 'Regulars: builds, judges, publishes, delivers';
create role if not exists ${dashboard} comment = 'Regulars: reads marts, segments and records of running';
create role if not exists ${team_role} comment = 'Regulars: what is published for ${team}';
use role securityadmin;
grant role ${loader} to role ${transformer};
grant role ${transformer} to role sysadmin;
grant role ${dashboard} to role sysadmin;
grant role ${team_role} to role sysadmin;

grant usage on database ${database} to role ${loader};
grant usage on schema ${database}.raw to role ${loader};
grant create table on schema ${database}.raw to role ${loader};
grant create stage on schema ${database}.raw to role ${loader};
grant usage on schema ${database}.quarantine to role ${loader};
grant create table on schema ${database}.quarantine to role ${loader};
grant create view on schema ${database}.quarantine to role ${loader};
grant usage on schema ${database}.ops to role ${loader};
grant create table on schema ${database}.ops to role ${loader};
grant create view on schema ${database}.ops to role ${loader};
grant usage on warehouse ${load_warehouse} to role ${loader};

grant usage on schema ${database}.${built_schema} to role ${transformer};
grant create table on schema ${database}.${built_schema} to role ${transformer};
grant create view on schema ${database}.${built_schema} to role ${transformer};
grant usage on database ${published} to role ${transformer};
grant create schema on database ${published} to role ${transformer};
grant usage on warehouse ${warehouse} to role ${transformer};

-- A publication is a new schema each time: it grants itself to the roles of REGULARS_SNOWFLAKE__READERS before it is
-- swapped in (docs/production.md). What lasts is granted here.
grant usage on database ${published} to role ${dashboard};
grant usage on warehouse ${load_warehouse} to role ${dashboard};
grant usage on database ${published} to role ${team_role};
grant usage on warehouse ${load_warehouse} to role ${team_role};
