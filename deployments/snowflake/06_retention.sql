-- Time travel keeps a week of what is worked on and a day of what is published; landings and their personal columns go
-- by REGULARS_LANDING_RETENTION_DAYS, which deletes from raw and quarantine too. Nothing of raw outlives it by more:
use role sysadmin;
alter schema ${database}.raw set data_retention_time_in_days = 1;
alter schema ${database}.quarantine set data_retention_time_in_days = 1;
alter schema ${database}.ops set data_retention_time_in_days = 30;
