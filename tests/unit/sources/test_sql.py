"""Kind `sql`: what each engine is asked, and what is said of its errors. SQL Server and Oracle are judged here alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from regulars.contracts import Column, Contract
from regulars.errors import ConfigError, SourceError, TransientError
from regulars.settings import Settings
from regulars.sources import sql, sql_rows
from regulars.sources.base import make_request
from regulars.sources.config import Connection, Sources, TableSource
from regulars.sources.sql_address import address_of
from regulars.sources.sql_errors import explained
from regulars.sources.sql_process import sql_process

URLS = {
    "postgresql": "postgresql://u:s%40cret@host:5433/erp?sslmode=require",
    "mysql": "mariadb://u:s%40cret@host/erp?ssl-mode=REQUIRED",
    "mssql": "sqlserver://u:s%40cret@host/erp?encrypt=true",
    "oracle": "oracle://u:s%40cret@host/ERP",
}
TYPES = {
    "postgresql": {"id": "bigint", "net": "numeric(12,2)", "day": "date", "at": "timestamp with time zone"},
    "mysql": {"id": "int(10) unsigned", "net": "decimal(12,2)", "day": "date", "at": "timestamp(6)"},
    "mssql": {"id": "bigint", "net": "decimal(12,2)", "day": "date", "at": "datetimeoffset(7)"},
    "oracle": {"ID": "NUMBER(10,0)", "NET": "NUMBER(12,2)", "DAY": "DATE", "AT": "TIMESTAMP(6) WITH TIME ZONE"},
}
SELECTS = {
    "postgresql": 'select "id" as "id", "net"::text as "net", "day"::text as "day", "at"::text as "at" '
    'from "sales"."orders" source',
    "mysql": "select `id` as `id`, cast(`net` as char) as `net`, cast(`day` as char) as `day`, "
    "concat(cast(`at` as char), 'Z') as `at` from `sales`.`orders` source",
    "mssql": "select [id] as [id], convert(varchar(60), [net]) as [net], convert(char(10), [day], 23) as [day], "
    "convert(varchar(30), cast(switchoffset([at], '+00:00') as datetime2), 126) + 'Z' as [at] "
    "from [sales].[orders] source",
    "oracle": "select \"ID\" as \"ID\", to_char(\"NET\", 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''') as \"NET\", "
    'to_char("DAY", \'YYYY-MM-DD"T"HH24:MI:SS\') as "DAY", '
    'to_char(sys_extract_utc("AT"), \'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"\') as "AT" from "SALES"."ORDERS" source',
}
AT = {
    "postgresql": "(\"at\" >= timestamptz '2026-01-24 23:00:00+00' and \"at\" < timestamptz '2026-01-25 23:00:00+00')",
    "mysql": "(`at` >= timestamp '2026-01-24 23:00:00' and `at` < timestamp '2026-01-25 23:00:00')",
    "mssql": "([at] >= cast('2026-01-24 23:00:00+00:00' as datetimeoffset) and "
    "[at] < cast('2026-01-25 23:00:00+00:00' as datetimeoffset))",
    "oracle": "(\"AT\" >= timestamp '2026-01-24 23:00:00 +00:00' and \"AT\" < timestamp '2026-01-25 23:00:00 +00:00')",
}
DAY = {
    "postgresql": "(\"day\" >= date '2026-01-25' and \"day\" < date '2026-01-26')",
    "mysql": "(`day` >= date '2026-01-25' and `day` < date '2026-01-26')",
    "mssql": "([day] >= cast('2026-01-25' as date) and [day] < cast('2026-01-26' as date))",
    "oracle": "(\"DAY\" >= to_date('2026-01-25 00:00:00', 'YYYY-MM-DD HH24:MI:SS') and "
    "\"DAY\" < to_date('2026-01-26 00:00:00', 'YYYY-MM-DD HH24:MI:SS'))",
}


class Described:
    """In place of the process: a database whose columns are known, and that notes what it was asked."""

    def __init__(self, types: dict[str, str]) -> None:
        self.types, self.asked = types, ""

    def ask(self, query, target=None):
        self.asked = query
        return {"rows": list(self.types.items()), "columns": list(self.types.items())}


def _request(engine: str, event_time: str = "at", **entry):
    columns = [("id", "bigint"), ("net", "decimal(12,2)"), ("day", "date"), ("at", "timestamp")]
    contract = Contract(
        source="erp",
        table="orders",
        description="d",
        owner="o",
        mode="append",
        key=("id",),
        event_time=event_time,
        lookback_days=0,
        columns=tuple(Column(name=name, data_type=kind, description="d") for name, kind in columns),
    )
    table = TableSource.model_validate({"from": "erp", "table": "sales.orders", **entry})
    connection = Connection(kind="sql", url=URLS[engine])
    settings = Settings(_env_file=None, timezone="Europe/Berlin", pseudonym_key="k")
    sources = Sources(connections={"erp": connection}, tables={"orders": table})
    return make_request(contract, sources, settings, date(2026, 1, 25)), address_of("erp", connection)


@pytest.mark.parametrize("engine", URLS)
def test_each_engine_is_asked_in_its_own_sql(engine: str) -> None:
    request, address = _request(engine)
    reading = sql._reading(request, address, Described(TYPES[engine]))
    at = "AT" if engine == "oracle" else "at"
    quoted = address.dialect.identifier(at)
    assert reading.query == f"{SELECTS[engine]} where ({AT[engine]} or {quoted} is null)"
    assert list(reading.decimals.values()) == [(12, 2)]
    request, address = _request(engine, event_time="day", source_where="net > 0")
    reading = sql._reading(request, address, Described(TYPES[engine]))
    assert f"source where (net > 0) and ({DAY[engine]} or " in reading.query


def test_moments_without_a_zone_are_compared_in_the_zone_of_the_table() -> None:
    request, address = _request("mssql", read={"timezone": "America/New_York"})
    reading = sql._reading(request, address, Described({**TYPES["mssql"], "at": "datetime2(7)"}))
    assert "[at] >= cast('2026-01-24 18:00:00' as datetime2)" in reading.query


def test_a_query_gets_literals_of_its_engine() -> None:
    request, address = _request("mssql", table=None, query="select * from o where d >= {window_start} and d = {as_of};")
    known = Described(TYPES["mssql"])
    reading = sql._reading(request, address, known)
    inner = "(select * from o where d >= cast('2026-01-24 23:00:00' as datetime2) and d = cast('2026-01-25' as date)) source"
    assert inner in reading.query
    assert "dm_exec_describe_first_result_set" in known.asked


def test_names_and_texts_that_look_like_sql_stay_names() -> None:
    request, address = _request("mysql", table="x`; drop.it'")
    known = Described({"a`b": "int(11)"})
    assert "from `x``; drop`.`it'` source" in sql._reading(request, address, known).query
    assert "'it''" not in known.asked  # the catalog is asked with bytes
    request, address = _request("mssql", table="x]y.it'")
    sql._reading(request, address, known := Described({"a]b": "int"}))
    assert "N'select * from [x]]y].[it''] source'" in known.asked


def test_what_an_engine_cannot_do_is_refused() -> None:
    for options, said in (
        ({"one_snapshot": True}, "does not lend a snapshot"),
        ({"statement_timeout_seconds": "soon"}, "is not a number"),
        ({"fetch_size": -1}, "is not a number"),
    ):
        with pytest.raises(ConfigError, match=said):
            address_of("erp", Connection(kind="sql", url=URLS["mysql"], options=options))


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "erp",
        "sqlite:///x.db",
        "mysql://u:s3cret@x:w/rd@host/db",
        "mysql://u:s3cret@host",
        "mysql://u:s3cret@@h/d",
    ],
)
def test_a_url_that_is_none_is_never_repeated(url: str | None) -> None:
    with pytest.raises(ConfigError) as error:
        address_of("erp", Connection(kind="sql", url=url))
    assert "s3cret" not in str(error.value)


def test_addresses_hold_the_login_and_places_do_not() -> None:
    for url in URLS.values():
        address = address_of("erp", Connection(kind="sql", url=url))
        assert "s%40cret" in address.url
        assert "s%40cret" not in repr(address) and "s%40cret" not in address.place
    socket = address_of("erp", Connection(kind="sql", url="postgresql://postgres@/erp?host=/run/pg"))
    assert socket.url == "postgresql://postgres@%2Frun%2Fpg/erp"


SAID = [
    ("MySqlError { ERROR 1054 (42S22): Unknown column 'nope' in 'SELECT' }", SourceError, "column nope does not exist"),
    ("MySqlError { ERROR 1205: Lock wait timeout exceeded }", TransientError, "broke off"),
    (
        "Source(MySQLError(CodecError { IO error: `bytes remaining on stream' }))",
        TransientError,
        "reached or broke off",
    ),
    ("ERROR 1062 (23000): Duplicate entry 'anna@example.com' for key", SourceError, "refused the query"),
    ('Couldn\'t convert the value `Bytes("anna@example.com")` to a desired type', SourceError, "a value cannot be"),
    ('db error: ERROR: relation "nope" does not exist', SourceError, "table nope does not exist"),
    ("db error: ERROR: permission denied for table orders", SourceError, "permission denied"),
    (
        "Token error: 'Invalid object name 'dbo.nope'.' on server X executing on line 1 (code: 208)",
        SourceError,
        "dbo.nope",
    ),
    ("Token error: 'Login failed for user 'anna'.' (code: 18456)", SourceError, "refused the login"),
    ("OCI Error: ORA-00942: table or view does not exist", SourceError, "does not exist"),
    ("OCI Error: ORA-01017: invalid username/password; logon denied", SourceError, "refused the login"),
    ("OCI Error: ORA-12541: TNS:no listener", TransientError, "broke off"),
]


@pytest.mark.parametrize(("said", "kind", "words"), SAID)
def test_errors_say_what_to_do_and_repeat_no_value(said: str, kind: type[Exception], words: str) -> None:
    error = explained(address_of("erp", Connection(kind="sql", url=URLS["mysql"])), said)
    assert type(error) is kind and words in str(error) and error.remedy
    assert "anna" not in str(error)


def test_without_the_reader_it_is_said_what_to_install() -> None:
    address = address_of("erp", Connection(kind="sql", url=URLS["mysql"]))
    with sql_process(address) as process, pytest.raises(ConfigError, match="connectorx") as error:
        process._judged({"missing": True, "done": True})
    assert "regulars[sql]" in error.value.remedy


def test_the_reading_process_ends_with_whoever_asked() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-I", sql_rows.__file__], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(
            b'{"url": "mysql://u:p@192.0.2.1:1/x", "query": "select 1", "before": [], "target": null, "batch_rows": 1}\n'
        )
        process.stdin.close()
        assert process.wait(timeout=30) == 0
