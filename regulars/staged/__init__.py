"""Raw files that no worker should touch: Snowflake lists, reads, types and writes them, the worker only counts."""
