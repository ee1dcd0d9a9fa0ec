-- One virtual warehouse per kind of work: X-Small loads and checks, a larger one builds marts. Each stops after a minute
-- without work, and all together stop at the month's credits.
use role accountadmin;
create resource monitor if not exists ${database}_monthly with credit_quota = ${credits} frequency = monthly
    start_timestamp = immediately
    triggers on 80 percent do notify on 100 percent do suspend on 110 percent do suspend_immediate;
use role sysadmin;
create warehouse if not exists ${warehouse} with warehouse_size = '${size}' auto_suspend = 60 auto_resume = true
    initially_suspended = true statement_timeout_in_seconds = 7200 comment = 'Regulars: ${layers}';
use role accountadmin;
alter warehouse ${warehouse} set resource_monitor = ${database}_monthly;
