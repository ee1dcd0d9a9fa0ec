"""SQL of the tables, stages and loads that `raw`, `quarantine` and `ops` are made of on Snowflake.

Names are written in upper case and in quotes, which is what Snowflake makes of a name without quotes: a name that is
a reserved word there (`rows`) stays usable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from regulars.contracts import Contract
from regulars.ledger import OPS_TABLES, QUARANTINE_COLUMNS
from regulars.manifest import Manifest
from regulars.warehouse.snowflake_text import quote

MARKS = (("_record_number", "bigint"), ("_as_of", "date"), ("_batch_id", "varchar"))
REJECTS = tuple(column for column in QUARANTINE_COLUMNS if column[0] not in ("quarantined_at", "replayed_at"))
REPLAYS = (("replay_batch_id", "varchar"), ("batch_id", "varchar"), ("source", "varchar"), ("record_number", "bigint"))
REJECTS_TABLE, REPLAYS_TABLE = "quarantine._rejects", "quarantine._replays"
UPLOADS = "raw.uploads"  # internal stage: files on their way from a local landing, and results on their way out
LANDING = "raw.landing"  # external stage: the landing on s3://
PARQUET = "TYPE = PARQUET USE_LOGICAL_TYPE = TRUE"
TYPES = {"timestamp": "timestamp_ntz(6)"}


def name(text: str) -> str:
    """A name as Snowflake keeps it."""
    return '"' + text.upper() + '"'


def column_type(kind: str) -> str:
    """A type of contracts and the ledger in Snowflake's words."""
    return TYPES.get(kind, kind)


def create_table(place: str, columns: Iterable[tuple[str, str]], cluster_by: str = "") -> str:
    """CREATE TABLE of a relation `schema.table`, unless it is there."""
    listed = ", ".join(f"{name(column)} {column_type(kind)}" for column, kind in columns)
    return f"create table if not exists {_place(place)} ({listed}){f' cluster by ({cluster_by})' if cluster_by else ''}"


def ops_tables() -> list[str]:
    """CREATE TABLE of every table of `ops`, and of what keeps properties."""
    made = [create_table(f"ops.{table}", columns) for table, columns in OPS_TABLES.items()]
    return [*made, create_table("ops.properties", (("name", "varchar"), ("value", "varchar")))]


def quarantine_tables() -> list[str]:
    """CREATE TABLE of what the quarantine's views show."""
    return [create_table(REJECTS_TABLE, REJECTS), create_table(REPLAYS_TABLE, REPLAYS)]


def raw_table(contract: Contract) -> str:
    """CREATE TABLE of `raw.<table>`: landed columns, record number, day and batch; clustered by day."""
    return create_table(f"raw.{contract.table}", (*contract.landed_columns, *MARKS), cluster_by="_as_of")


def quarantine_views(tables: Sequence[str]) -> list[str]:
    """`quarantine.rows`, and `quarantine.<table>` for each table: rejected rows of loaded batches."""
    columns = ", ".join(f"r.{column}" for column, _ in REJECTS)
    rows = f"""create or replace view quarantine.{name("rows")} as
        select {columns}, l.started_at as quarantined_at, p.replayed_at
        from {REJECTS_TABLE} as r
        inner join ops.ingestion_logs as l on r.batch_id = l.batch_id and l.status = 'loaded'
        left join (
            select p.batch_id, p.source, p.record_number, min(l.started_at) as replayed_at
            from {REPLAYS_TABLE} as p
            left join ops.ingestion_logs as l on p.replay_batch_id = l.batch_id and l.status = 'loaded'
            group by p.batch_id, p.source, p.record_number
        ) as p on r.batch_id = p.batch_id and r.source = p.source and r.record_number = p.record_number"""
    return [
        rows,
        *(
            f"create or replace view quarantine.{name(table)} as "
            f"select * from quarantine.{name('rows')} where table_name = {quote(table)}"
            for table in tables
        ),
    ]


def copies(contract: Contract, manifest: Manifest, location: str, first_row: int) -> list[str]:
    """COPY INTO for the files of one batch below `location` (`@stage/path`). FORCE: what COPY remembers to have loaded

    may have been rolled back or deleted since, and the ledger alone says what is in `raw`. A column that the batch was
    landed without is null. `first_row` is the number that Snowflake gives the first record of a file. Only functions
    that COPY allows are used.
    """
    landed = dict(manifest.columns)
    values = {
        column: f"$1:{column}::{column_type(kind)}" if column in landed else f"null::{column_type(kind)}"
        for column, kind in contract.landed_columns
    }
    # A record without a number is at its own place in the file.
    place = f"metadata$file_row_number::bigint + {1 - first_row}"
    values["_record_number"] = f"case when $1:_record_number is null then {place} else $1:_record_number::bigint end"
    values |= {"_as_of": f"'{manifest.as_of}'::date", "_batch_id": f"{quote(manifest.batch_id)}::varchar"}
    rejects = {column: f"$1:{column}::{kind}" for column, kind in REJECTS}
    rejects |= {
        "batch_id": f"{quote(manifest.batch_id)}::varchar",
        "table_name": f"{quote(manifest.table)}::varchar",
        "as_of": f"'{manifest.as_of}'::date",
    }
    replays = {column: f"$1:{column}::{kind}" for column, kind in REPLAYS}
    replays["replay_batch_id"] = f"{quote(manifest.batch_id)}::varchar"
    wanted = (
        (f"raw.{contract.table}", values, manifest.parts),
        (REJECTS_TABLE, rejects, manifest.rejects),
        (REPLAYS_TABLE, replays, manifest.replays),
    )
    return [_copy(place, columns, location, [part.name for part in parts]) for place, columns, parts in wanted if parts]


def _copy(place: str, columns: Mapping[str, str], location: str, files: Sequence[str]) -> str:
    return (
        f"copy into {_place(place)} ({', '.join(name(column) for column in columns)}) "
        f"from (select {', '.join(columns.values())} from {location}) "
        f"FILES = ({', '.join(quote(file) for file in files)}) FILE_FORMAT = ({PARQUET}) "
        "ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
    )


def _place(text: str) -> str:
    schema, table = text.split(".")
    return f"{name(schema)}.{name(table)}"
