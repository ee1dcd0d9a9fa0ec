"""The operational store: an embedded PostgreSQL server and bulk intake by COPY."""
