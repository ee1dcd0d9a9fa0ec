-- An example: the pipeline's user logs in from the addresses of its workers only. Put your own in with --network, then
-- attach it: alter user <user> set network_policy = ${database}_workers.
use role securityadmin;
create network policy if not exists ${database}_workers allowed_ip_list = (${network});
