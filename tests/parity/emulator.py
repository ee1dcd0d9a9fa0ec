"""fakesnow as a server, with what the flows need of Snowflake and it lacks; each addition says why it is there.

The emulator is DuckDB underneath: it proves that our SQL is read as Snowflake's, and the paths of the clients, not
Snowflake's arithmetic.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import fakesnow.arrow as arrow
import fakesnow.copy_into as copy_into
import fakesnow.info_schema as info_schema
import pyarrow as pa
import pyarrow.compute as pc
import snowflake.connector.errors
import sqlglot
import stage_files
import uvicorn.config
from breaking import Breaking
from fakesnow import server as fakesnow_server
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.transforms import stage
from grants import GRANT, SHOW_GRANTS, grant, show_grants
from sessions import Sessions
from sqlglot import exp

STAGE_PATH = re.compile(r"@(?P<stage>\w+\.\w+)/(?P<path>[\w=./-]+)")
UNLOAD = re.compile(
    r"copy into (?P<place>@\S+)/(?P<file>[^/\s]+) from \((?P<query>.*)\) FILE_FORMAT = \((?P<format>.*?)\) HEADER = TRUE .*",
    re.DOTALL,
)
GET = re.compile(r"get (?P<place>@\S+)/(?P<file>[^/\s]+) 'file://(?P<folder>.*)/'")
ESCAPED = re.compile(r"[\\'](.)", re.DOTALL)  # in a literal
REMOVE = re.compile(r"remove (?P<place>@\S+)")
CLONE = re.compile(r"create or replace schema (\w+)\.(\w+) clone (\w+)\.(\w+)")
DDL = re.compile(r"(create|drop|alter|truncate|grant)\b", re.IGNORECASE)
# Of the account, which a database in memory has none of: done by saying so.
ACCOUNT_DDL = re.compile(
    r"use role .*|create (role|warehouse|resource monitor|storage integration|network policy|masking policy|tag|file format) .*"
    r"|alter (warehouse|tag) .*|alter table \S+ (modify column \S+ set tag .*|cluster by .*)|alter schema \S+ set .*"
    r"|grant select on all .*|grant ownership .*",
    re.IGNORECASE | re.DOTALL,
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)  # dbt says in one whose statement it is
# What Snowflake keeps as a word and DuckDB would enforce or not understand.
DECLARED = re.compile(r"(?<=[\w)]) (with managed access$|primary key\b|references \S+ \(\w+\))", re.IGNORECASE)
DROP_STAGE = re.compile(r"drop stage (\w+)\.(\w+)")
DROP_DATABASE = re.compile(r"drop database if exists (\w+)")
OVERWRITE = re.compile(r"insert overwrite into (\S+)", re.IGNORECASE)  # dbt's seeds
SWAP = re.compile(r"alter schema (\w+)\.(\w+) swap with \w+\.(\w+)")

sent: dict[str, None] = {}  # every statement that came over the wire, in order, each once
STAGES = "_fs_global._fs_information_schema._fs_stages"
FIRST_ROW = 1  # what the records of a Parquet file are counted from

_execute = FakeSnowflakeCursor.execute
_duckdb_execute = FakeSnowflakeCursor._execute
_transform = FakeSnowflakeCursor._transform


def execute(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
    """Statements that fakesnow does not know, done beside it; all others go on."""
    text = COMMENT.sub("", command).strip().rstrip(";").strip()
    if kwargs.get("server"):
        sent[text] = None
    if DECLARED.search(text):
        return execute(self, DECLARED.sub("", text), *args, **{**kwargs, "server": False})
    if ACCOUNT_DDL.fullmatch(text):
        return _execute(self, "select 'Statement executed successfully.' as status", **kwargs)
    if found := GRANT.fullmatch(text):
        grant(**found.groupdict())
        return _execute(self, "select 'Statement executed successfully.' as status", **kwargs)
    if found := SHOW_GRANTS.fullmatch(text):
        return _execute(self, show_grants(found[1]), **kwargs)
    if DDL.match(text):  # which ends a transaction there
        with contextlib.suppress(duckdb.TransactionException):
            self._duck_conn.commit()
    if text.lower() in ("begin", "commit", "rollback"):  # fakesnow would ask DuckDB to describe BEGIN's result
        with contextlib.suppress(duckdb.TransactionException):  # Snowflake takes one too many for nothing
            getattr(self._duck_conn, text.lower())()
        return _execute(self, "select 'Statement executed successfully.' as status", **kwargs)
    if (given := stage_files.answer(self, text, _execute)) is not None:
        return _execute(self, given, *args, **kwargs)
    if found := UNLOAD.fullmatch(text):
        return _execute(self, unload(self, found), **kwargs)
    if found := GET.fullmatch(text):
        return download(self, found, kwargs)
    if found := REMOVE.fullmatch(text):
        shutil.rmtree(folder_of(self, found["place"]), ignore_errors=True)
        return _execute(self, "select 'removed' as result", **kwargs)
    if found := CLONE.fullmatch(text):
        clone_schema(self, *found.groups())
        return _execute(self, "select 'Schema successfully created.' as status", **kwargs)
    if found := DROP_STAGE.fullmatch(text):
        key = [self._conn.database, *(name.upper() for name in found.groups())]
        self._duck_conn.execute(f"delete from {STAGES} where database_name = ? and schema_name = ? and name = ?", key)
        return _execute(self, "select 'Statement executed successfully.' as status", **kwargs)
    if found := DROP_DATABASE.fullmatch(text):  # DuckDB would go on looking into its views whenever names are listed
        self._duck_conn.execute("use memory")
        self._duck_conn.execute(f"detach {found[1]}")
        return _execute(self, "select 'dropped' as status", **kwargs)
    if found := SWAP.fullmatch(text):
        database, one, other = found.groups()
        for source, target in ((one, "_swapping"), (other, one), ("_swapping", other)):
            clone_schema(self, database, target, database, source)
        self._duck_conn.execute(f"drop schema {database}._swapping cascade")
        return _execute(self, "select 'Statement executed successfully.' as status", **kwargs)
    if found := OVERWRITE.match(text):  # which fakesnow hands on as it is
        self._duck_conn.execute(f"delete from {found[1]}")
        command = OVERWRITE.sub(r"insert into \1", command, count=1)
    command = STAGE_PATH.sub(lambda at: stage_at(self, at[0]), command)
    if text.lower().startswith("put "):  # looks up its stage, which a transaction that has begun would not see
        kept, self._duck_conn = self._duck_conn, self._duck_conn.cursor()
        try:
            return _execute(self, command, *args, **kwargs)
        finally:
            self._duck_conn = kept
    return _execute(self, command, *args, **kwargs)


def execute_in_duckdb(self: Any, transformed: Any, params: Any = None) -> None:
    """A row that another transaction holds: Snowflake waits for LOCK_TIMEOUT and says so, DuckDB says so at once."""
    try:
        _duckdb_execute(self, transformed, params)
    except duckdb.TransactionException as error:
        if "onflict" not in str(error):
            raise
        raise snowflake.connector.errors.ProgrammingError(
            msg="Statement has locked the row in another transaction", errno=625, sqlstate="57014"
        ) from None
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise snowflake.connector.errors.ProgrammingError(msg=str(error), errno=100001, sqlstate="22000") from None


def transform(self: Any, expression: Any, params: Any) -> Any:
    """Temporary tables live in the database like others here: DuckDB keeps them in a catalogue of its own, where their
    names in a schema of ours would not be found."""
    if isinstance(expression, exp.Create) and expression.kind == "TABLE" and expression.args.get("properties"):
        for found in list(expression.args["properties"].find_all(exp.TemporaryProperty)):
            found.pop()
    stage_files.mend(expression)
    return _transform(self, expression, params)


def stage_at(cursor: Any, place: str) -> str:
    """A path below a stage, as a stage of its own: fakesnow knows no paths."""
    found = STAGE_PATH.fullmatch(place)
    assert found
    schema, base = found["stage"].upper().split(".")
    name = f"{base}__{hashlib.md5(found['path'].strip('/').encode()).hexdigest()}".upper()
    database = cursor._conn.database
    key = [database, schema, name]
    meta = cursor._duck_conn.cursor()
    if not meta.execute(
        f"select 1 from {STAGES} where database_name = ? and schema_name = ? and name = ?", key
    ).fetchall():
        row = meta.execute(
            f"select url from {STAGES} where database_name = ? and schema_name = ? and name = ?",
            [database, schema, base],
        ).fetchone()
        if row is None:
            raise snowflake.connector.errors.ProgrammingError(
                msg=f"Stage '{database}.{schema}.{base}' does not exist or not authorized.",
                errno=2003,
                sqlstate="02000",
            )
        paths[f"{database}.{schema}.{name}"] = url = (
            f"{row[0].rstrip('/')}/{found['path'].strip('/')}/"
            if row[0]
            else f"file://{stage.internal_dir('.'.join(key))}"
        )
        meta.execute(
            f"insert into {STAGES} (created_on, name, database_name, schema_name, url, type) values (now(), ?, ?, ?, ?, 'INTERNAL')",
            [name, database, schema, url],
        )
    return f"@{schema}.{name}"


paths: dict[str, str] = {}  # addresses of those stages: a transaction that has begun does not see a new row
_stage_url = copy_into.stage_url_from_var


def stage_url(var: str, connection: Any, database: str, schema: str) -> str:
    return paths.get(f"{database}.{var}") or _stage_url(var, connection, database, schema)


def folder_of(cursor: Any, place: str) -> Path:
    schema, name = stage_at(cursor, place)[1:].split(".")
    return Path(stage.internal_dir(f"{cursor._conn.database}.{schema}.{name}"))


def unload(cursor: Any, found: re.Match[str]) -> str:
    """COPY INTO @stage by DuckDB's COPY TO; gives a statement whose result is Snowflake's: the number of rows."""
    folder = folder_of(cursor, found["place"])
    folder.mkdir(parents=True, exist_ok=True)
    _execute(cursor, f"create or replace table ops._unloaded as {found['query']}", server=True)
    options = "format csv, header true, force_quote *" if "CSV" in found["format"] else "format parquet"
    ((rows,),) = cursor._duck_conn.execute(f"copy ops._unloaded to '{folder}/{found['file']}' ({options})").fetchall()
    cursor._duck_conn.execute("drop table ops._unloaded")
    return f"select {rows}::bigint as rows_unloaded"


def download(cursor: Any, found: re.Match[str], kwargs: Any) -> Any:
    """GET: what a stage on this machine holds is where the client asks for it."""
    folder = Path(ESCAPED.sub(r"\1", found["folder"]))
    shutil.copyfile(folder_of(cursor, found["place"]) / found["file"], folder / found["file"])
    return _execute(cursor, "select 'DOWNLOADED' as status", **kwargs)


pending: dict[str, dict[str, str]] = {}  # views by schema whose tables are not there yet: DuckDB looks for them at once


def clone_schema(cursor: Any, database: str, target: str, source_database: str, source: str) -> None:
    """CREATE SCHEMA CLONE: tables by copy, views by their text."""
    run = cursor._duck_conn.cursor()
    place, origin = f"{database}.{target}".lower(), f"{source_database}.{source}".lower()
    run.execute(f"drop schema if exists {place} cascade")
    run.execute(f"create schema {place}")
    where = "where lower(database_name) = lower(?) and lower(schema_name) = lower(?)"
    for (table,) in run.execute(
        f"select table_name from duckdb_tables() {where}", [source_database, source]
    ).fetchall():
        run.execute(f'create table {place}."{table}" as from {source_database}.{source}."{table}"')
    found = run.execute(f"select view_name, sql from duckdb_views() {where}", [source_database, source]).fetchall()
    views = {view: re.sub(r"^CREATE VIEW .*? AS ", "", sql, count=1, flags=re.DOTALL) for view, sql in found}
    pending[place] = {**views, **pending.get(origin, {})}
    run.execute(f"use {database}.main")
    for view, body in list(pending[place].items()):
        with contextlib.suppress(duckdb.CatalogException):
            run.execute(f'create view {place}."{view}" as {body}')
            del pending[place][view]


_read_parquet = copy_into.ReadParquet.read_expression
_strip_json_extract = copy_into._strip_json_extract


def read_parquet(self: Any, url: str) -> Any:
    """METADATA$FILE_ROW_NUMBER, which fakesnow lacks."""
    return exp.func("read_parquet", exp.Literal.string(url), self.make_eq("file_row_number", True))


_read_csv = copy_into.ReadCSV.read_expression


def read_csv(self: Any, url: str) -> Any:
    """Cells of a CSV are text, as in Snowflake; DuckDB would guess types."""
    found = _read_csv(self, url)
    found.append("expressions", self.make_eq("all_varchar", True))
    if self.delimiter == ",":
        found.append("expressions", self.make_eq("sep", ","))
    return found


def strip_json_extract(expression: Any) -> Any:
    """Cells of a CSV by their place: fakesnow knows fields of Parquet only."""
    for cell in list(expression.find_all(exp.Parameter)):
        if not isinstance(cell.parent, (exp.JSONExtract, exp.JSONExtractScalar)):
            cell.replace(exp.var(f"#{cell.this.name}"))
    found = _strip_json_extract(expression)
    return found.transform(
        lambda node: (
            exp.column("file_row_number") + FIRST_ROW
            if isinstance(node, exp.Column) and node.name.upper() == "METADATA$FILE_ROW_NUMBER"
            else node
        )
    )


# INFORMATION_SCHEMA.TABLES lists views too; fakesnow's lists tables.
RELATIONS = (
    "(select database_name, schema_name, table_name, estimated_size, 'BASE TABLE' as kind from duckdb_tables "
    "union all select database_name, schema_name, view_name, null, 'VIEW' from duckdb_views) as"
)
_listing = info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.template
listing = Template(_listing.replace("'BASE TABLE'", "kind").replace("from duckdb_tables", f"from {RELATIONS}"))

_timestamps = arrow.timestamp_to_sf_struct


def timestamps(column: Any) -> Any:
    """Timestamps on the wire, where a null stays null; fakesnow makes 1970 of it."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = _timestamps(column.cast(pa.timestamp("us", column.type.tz)))
    return pa.StructArray.from_arrays(found.flatten(), fields=list(found.type), mask=pc.is_null(column))


def whole_result(table: pa.Table) -> Any:
    """Results of no row, and of more than one batch, on the wire."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()


_parse_one = sqlglot.parse_one


def parse_one(text: str, **kwargs: Any) -> Any:
    """What kind of statement it is: fakesnow asks sqlglot, which cannot read LIST with a schema."""
    return _parse_one("select 1" if stage_files.LIST.fullmatch(text) else text, **kwargs)


_transform_tree = exp.Expression.transform


def transform_in_place(self: Any, function: Any, *args: Any, copy: bool = False, **kwargs: Any) -> Any:
    """fakesnow passes a tree through some eighty functions and would copy it for each: three quarters of a run's time."""
    return _transform_tree(self, function, *args, copy=copy, **kwargs)


@contextlib.contextmanager
def emulator(folder: Path | None = None) -> Iterator[dict[str, Any]]:
    """Run the server; gives arguments of `snowflake.connector.connect`. Databases are kept in `folder`, else in memory."""
    import fakesnow.server as fakesnow_routes

    exp.Expression.transform = transform_in_place
    FakeSnowflakeCursor.execute = execute
    FakeSnowflakeCursor._execute = execute_in_duckdb
    FakeSnowflakeCursor._transform = transform
    copy_into.ReadParquet.read_expression = read_parquet
    copy_into.stage_url_from_var = stage_url
    copy_into.ReadCSV.read_expression = read_csv
    copy_into._strip_json_extract = strip_json_extract
    arrow.timestamp_to_sf_struct = timestamps
    fakesnow_routes.to_ipc = whole_result
    info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW = listing
    fakesnow_routes.parse_one = parse_one
    fakesnow_routes.app = Breaking(Sessions(fakesnow_routes.app))
    fakesnow_routes.shared_fs.db_path = folder
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what it hands on as it is
    for name in ("uvicorn", "uvicorn.access"):  # a server in the same process has nothing to tell whoever runs it
        uvicorn.config.LOGGING_CONFIG["loggers"][name]["handlers"] = []
    with fakesnow_server() as access:
        for name in ("uvicorn", "uvicorn.access", "uvicorn.error", "fakesnow.server"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield access
