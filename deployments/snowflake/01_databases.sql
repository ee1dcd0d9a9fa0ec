-- The database in which work is done, and the one that readers open. Schemas are made here, so that no role of the
-- pipeline needs CREATE SCHEMA in the first one; in the second, publication swaps whole schemas in.
use role sysadmin;
create database if not exists ${database} data_retention_time_in_days = 7
    comment = 'Regulars: raw, staging, intermediate, marts, segments, ops, quarantine';
create database if not exists ${published} data_retention_time_in_days = 1
    comment = 'Regulars: what is published, after its gate';
create schema if not exists ${database}.raw with managed access;
create schema if not exists ${database}.staging;
create schema if not exists ${database}.intermediate;
create schema if not exists ${database}.marts;
create schema if not exists ${database}.segments;
create schema if not exists ${database}.ops;
create schema if not exists ${database}.quarantine with managed access;
create schema if not exists ${database}.governance with managed access;
