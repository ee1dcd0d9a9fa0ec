"""Tables of a database: what its own catalog lists, with declared keys."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from regulars.discovery.found import Shelf
from regulars.discovery.names import contract_name
from regulars.errors import SourceError
from regulars.sources.config import Connection
from regulars.sources.postgres_session import connect
from regulars.sources.sql_address import Address, address_of
from regulars.sources.sql_dialects import DIALECTS
from regulars.sources.sql_process import sql_process

# (schema, table, column of the primary key or null), in the order of the key. The standard's catalog hides keys from who may
# only read on PostgreSQL and MySQL, and Oracle has none.
SQL_SERVER = """
select t.table_schema as s, t.table_name as n, k.column_name as c, k.ordinal_position as p
from information_schema.tables t
left join information_schema.table_constraints c
    on c.table_schema = t.table_schema and c.table_name = t.table_name and c.constraint_type = 'PRIMARY KEY'
left join information_schema.key_column_usage k
    on k.table_schema = c.table_schema and k.table_name = c.table_name and k.constraint_name = c.constraint_name
where t.table_schema not in ('information_schema', 'sys')
order by 1, 2, 4
"""
POSTGRES = """
select n.nspname::text, c.relname::text, a.attname::text, k.position
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_index i on i.indrelid = c.oid and i.indisprimary
left join lateral unnest(i.indkey) with ordinality as k (number, position) on true
left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and has_table_privilege(c.oid, 'select')
    and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
order by 1, 2, 4
"""
MYSQL = """
select t.table_schema as s, t.table_name as n, k.column_name as c, k.ordinal_position as p
from information_schema.tables t
left join information_schema.columns k
    on k.table_schema = t.table_schema and k.table_name = t.table_name and k.column_key = 'PRI'
where t.table_schema not in ('information_schema', 'mysql', 'performance_schema', 'sys')
order by 1, 2, 4
"""
ORACLE = """
select t.owner as s, t.table_name as n, k.column_name as c, k.position as p
from all_tables t
left join all_constraints c on c.owner = t.owner and c.table_name = t.table_name and c.constraint_type = 'P'
left join all_cons_columns k on k.owner = c.owner and k.constraint_name = c.constraint_name
where t.owner = sys_context('userenv', 'current_schema')
order by 1, 2, 4
"""
CATALOGS = {"MySQL": MYSQL, "SQL Server": SQL_SERVER, "Oracle": ORACLE}
# As text: catalogs have types of their own for names.
TEXT = {"MySQL": "cast({} as char)", "SQL Server": "cast({} as nvarchar(200))"}


def database_tables(name: str, connection: Connection, rows: int, only: str | None = None) -> list[Shelf]:
    """The tables of a connection of kind postgres or sql; `only` names one. Raises SourceError where none is to be seen."""
    address = address_of(name, connection.model_copy(update={"kind": "sql", "options": _waits(connection)}))
    dialect = address.dialect
    listed: list[Any]
    if dialect is DIALECTS["postgresql"]:
        with connect(connection) as session:
            listed = session.execute(POSTGRES).fetchall()
    else:
        listed = _ask(address, CATALOGS[address.dialect.title])
    keys: dict[tuple[str, str], list[str]] = defaultdict(list)
    for schema, table, column, _ in listed:
        keys[schema, table] += [column] if column else []
    found = {f"{schema}.{table}": key for (schema, table), key in keys.items()}
    if only:
        found = {
            full: key for full, key in found.items() if only.lower() in (full.lower(), full.split(".", 1)[1].lower())
        }
    if not found:
        raise SourceError(
            f"{address.place}: {only or 'no table'} is not to be seen",
            remedy="grant select on its tables to the user of this connection, or name another table",
        )
    shelves = []
    for full, key in found.items():
        relation = ".".join(dialect.identifier(part) for part in full.split(".", 1))
        entry = {"query": _first_rows(dialect.title, relation, rows)}
        name = contract_name(full.split(".", 1)[1], "table")
        shelves.append(Shelf(name, {"table": full}, ((entry, None),), "the table", tuple(key)))
    return shelves


def _ask(address: Address, catalog: str) -> list[Any]:
    as_text = TEXT.get(address.dialect.title, "{}")
    columns = ", ".join(as_text.format(column) for column in ("s", "n", "c"))
    with sql_process(address) as process:
        # The order is lost around a subselect, so it is said again of what is read.
        inner = catalog.rsplit("order by", 1)[0]
        found: list[Any] = process.ask(f"select {columns}, p from ({inner}) x order by s, n, p")["rows"]
    return found


def _waits(connection: Connection) -> dict[str, object]:
    kept = ("statement_timeout_seconds", "silence_timeout_seconds", "fetch_size")
    return {option: value for option, value in connection.options.items() if option in kept}


def _first_rows(engine: str, relation: str, rows: int) -> str:
    if engine == "SQL Server":
        return f"select top {rows} * from {relation}"
    if engine == "Oracle":
        return f"select * from {relation} fetch first {rows} rows only"
    return f"select * from {relation} limit {rows}"
