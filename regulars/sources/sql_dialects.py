"""The SQL of the engines that kind `sql` reads, as data: names, literals, and how values leave exactly as they are.

The reader carries whole numbers, doubles, booleans, text and bytes. Anything else (decimals, dates, times, moments ...)
is written as text by the engine itself, in one form, so that no digit, no date and no zone is changed on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from regulars.engine import quote

# What a column's window is compared with: days, moments without zone, moments with one.
Kind = Literal["day", "local", "utc"]


@dataclass(frozen=True)
class Rule:
    """How columns of some types are selected: `sql` with `{}` for the column, and what the window compares them with.

    Types are the engine's own words, or the reader's (date32, timestamp[us] ...) where only a query tells them."""

    types: str
    sql: str = "{}"
    kind: Kind | None = None


@dataclass(frozen=True)
class Dialect:
    """One engine. `identifier` quotes a name as the engine gives it, `written` one as a person writes it.

    `describe`: SQL that lists (name, type) of a table, given its parts, or of a query; None where there is no such SQL.
    `before`: statements of a session, given the statement timeout in seconds (0: none)."""

    title: str
    port: int
    identifier: Callable[[str], str]
    rules: tuple[Rule, ...]
    describe: Callable[[tuple[str, ...] | None, str], str | None]
    before: Callable[[float], list[str]]
    day: str = "date '{}'"
    local: str = "timestamp '{}'"
    utc: str = "timestamp '{}'"
    written: Callable[[str], str] | None = None

    def relation(self, table: str) -> str:
        """A table of sources.yml, such as `sales.orders`, as SQL."""
        return ".".join(map(self.written or self.identifier, table.split(".")))

    def rule_of(self, type_name: str) -> Rule:
        return next((rule for rule in self.rules if re.match(rule.types, type_name, re.IGNORECASE)), Rule(""))


def double_quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def back_quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def folded(name: str) -> str:
    """Oracle's way: a name in small letters stands for the one in capitals."""
    return double_quoted(name.upper() if name == name.lower() else name)


def _describe_postgres(table: tuple[str, ...] | None, inner: str) -> str | None:
    if table is None:
        return None
    return (
        "select attname::text as name, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = "
        f"{quote(inner)}::regclass and attnum > 0 and not attisdropped order by attnum"
    )


def _describe_mysql(table: tuple[str, ...] | None, inner: str) -> str | None:
    if table is None:
        return None
    # As bytes, since whether a backslash in a text is itself depends on the session.
    schema, name = (f"_utf8mb4 x'{part.encode().hex()}'" for part in ("", *table)[-2:])
    return (
        "select column_name as name, cast(column_type as char) as type from information_schema.columns where "
        f"table_schema = {schema if len(table) > 1 else 'database()'} and table_name = {name} order by ordinal_position"
    )


def _describe_sql_server(table: tuple[str, ...] | None, inner: str) -> str | None:
    return (
        "select name, system_type_name as type from sys.dm_exec_describe_first_result_set("
        f"N{quote(f'select * from {inner} source')}, null, 0) where name is not null order by column_ordinal"
    )


def _describe_oracle(table: tuple[str, ...] | None, inner: str) -> str | None:
    if table is None:
        return None
    owner, name = (quote(folded(part)[1:-1].replace('""', '"')) for part in ("", *table)[-2:])
    owner = owner if len(table) > 1 else "sys_context('userenv', 'current_schema')"
    return (
        "select column_name as name, data_type || case when data_precision is not null and data_scale is not null then "
        "'(' || data_precision || ',' || data_scale || ')' end as type from all_tab_columns where "
        f"owner = {owner} and table_name = {name} order by column_id"
    )


def _before_postgres(timeout: float) -> list[str]:
    return [
        "set timezone = 'UTC'",
        "set datestyle = 'ISO, YMD'",
        "set default_transaction_read_only = on",
        "set synchronize_seqscans = off",
        "set max_parallel_workers_per_gather = 0",
        *([f"set statement_timeout = {int(timeout * 1000)}"] if timeout else []),
    ]


def _before_mysql(timeout: float) -> list[str]:
    # MariaDB reads the first comment (seconds), MySQL the second one (milliseconds).
    limit = f"/*M!100101 max_statement_time = {timeout:g}, */ /*!50708 max_execution_time = {int(timeout * 1000)}, */ "
    return [f"set session {limit if timeout else ''}time_zone = '+00:00'", "set session transaction read only"]


def _no_statements(timeout: float) -> list[str]:
    return []


DIALECTS = {
    "postgresql": Dialect(
        "PostgreSQL",
        5432,
        double_quoted,
        (
            Rule(r".*\[\]$", "{}::text"),
            Rule("date", "{}::text", "day"),
            Rule(r"timestamp.* with time zone|timestamp\[us, tz", "{}::text", "utc"),
            Rule("timestamp", "{}::text", "local"),
            Rule(
                r"smallint|integer|bigint|boolean|text|character|double|real|bytea|u?int\d|bool|float|(large_)?string"
            ),
            Rule("large_binary|binary"),
            Rule("", "{}::text"),
        ),
        _describe_postgres,
        _before_postgres,
        utc="timestamptz '{}+00'",
    ),
    "mysql": Dialect(
        "MySQL",
        3306,
        back_quoted,
        (
            Rule("date$|date32", "cast({} as char)", "day"),
            Rule(r"datetime|timestamp\[", "cast({} as char)", "local"),
            Rule("timestamp", "concat(cast({} as char), 'Z')", "utc"),
            Rule("decimal|numeric|time", "cast({} as char)"),
            Rule("bit", "cast({} as unsigned)"),
            Rule("geometry|point|linestring|polygon|multi", "st_astext({})"),
        ),
        _describe_mysql,
        _before_mysql,
    ),
    "mssql": Dialect(
        "SQL Server",
        1433,
        bracketed,
        (
            Rule("date$|date32", "convert(char(10), {}, 23)", "day"),
            Rule(
                r"datetimeoffset|timestamp\[us, tz",
                "convert(varchar(30), cast(switchoffset({}, '+00:00') as datetime2), 126) + 'Z'",
                "utc",
            ),
            Rule(r"datetime|smalldatetime|timestamp\[", "convert(varchar(30), {}, 126)", "local"),
            Rule("decimal|numeric", "convert(varchar(60), {})"),
            Rule("money|smallmoney", "convert(varchar(30), {}, 2)"),
            Rule("time", "convert(varchar(16), {})"),
            Rule("uniqueidentifier", "convert(char(36), {})"),
            Rule("xml|sql_variant|hierarchyid", "convert(nvarchar(max), {})"),
            Rule("geography|geometry", "{}.STAsText()"),
        ),
        _describe_sql_server,
        _no_statements,
        day="cast('{}' as date)",
        local="cast('{}' as datetime2)",
        utc="cast('{}+00:00' as datetimeoffset)",
    ),
    "oracle": Dialect(
        "Oracle",
        1521,
        double_quoted,
        (
            Rule(r"number\(([1-9]|1[0-8]),0\)|u?int\d"),
            Rule("number|decimal", "to_char({}, 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')"),
            Rule(
                r"timestamp.* with|timestamp\[us, tz",
                'to_char(sys_extract_utc({}), \'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"\')',
                "utc",
            ),
            Rule("timestamp", "to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.FF6')", "local"),
            Rule("date", "to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS')", "local"),
            Rule("interval", "to_char({})"),
        ),
        _describe_oracle,
        _no_statements,
        local="to_date('{}', 'YYYY-MM-DD HH24:MI:SS')",  # a timestamp would keep an index on a DATE from being used
        utc="timestamp '{} +00:00'",
        written=folded,
    ),
}
SCHEMES = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "mssql",
    "sqlserver": "mssql",
    "oracle": "oracle",
}
