-- Row retention: records of checks end after a time; rows of raw and quarantine follow REGULARS_LANDING_RETENTION_DAYS, by the flows
use role accountadmin;
grant execute task on account to role {{ account.role("loader") | name }};
grant execute managed task on account to role {{ account.role("loader") | name }};
use role {{ account.role("loader") | name }};
create or replace task {{ name(account.database, "ops", "forget_old_checks") }}
    user_task_managed_initial_warehouse_size = 'XSMALL' schedule = 'USING CRON 30 3 * * 0 UTC'
    as delete from {{ name(account.database, "ops", "dq_check_logs") }} where as_of < dateadd(day, -{{ account.spec.check_log_days | number }}, current_date());
alter task {{ name(account.database, "ops", "forget_old_checks") }} resume;
