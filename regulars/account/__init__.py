"""Set-up of a Snowflake account: statements from templates, what they need, what is missing."""
