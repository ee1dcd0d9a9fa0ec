"""Tables and a few rows for a first look, from the contracts: constraints where Snowflake has them, tests elsewhere.

Snowflake enforces NOT NULL alone. Primary and foreign keys are declared for readers and planners; CHECK does not exist. So
every rule that is not enforced has a query that returns the rows which break it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from regulars.account.sql_text import Sql, name, text
from regulars.contracts import Column, Contract, resolve_bound
from regulars.warehouse.snowflake_tables import column_type

SCHEMA = "first_look"
DAY = date(2026, 1, 5)
ROWS = 3


@dataclass(frozen=True)
class FirstLook:
    """Statements for the schema `first_look`; table names stand without it."""

    contracts: Mapping[str, Contract]

    @property
    def ordered(self) -> list[Contract]:
        """The population first, because others refer to it."""
        return sorted(self.contracts.values(), key=lambda contract: not contract.population)

    def create(self, contract: Contract) -> Sql:
        """CREATE TABLE with NOT NULL, PRIMARY KEY and FOREIGN KEY."""
        lines = [
            f"{name(column)} {column_type(kind)}{' not null' if self._is_required(contract, column) else ''}"
            for column, kind in contract.landed_columns
        ]
        if contract.key:
            lines.append(f"primary key ({', '.join(name(column) for column in contract.key)})")
        if parent := self._parent(contract):
            member = name(parent.key[0])
            lines.append(f"foreign key ({member}) references {name(SCHEMA, parent.table)} ({member})")
        return Sql(f"create table if not exists {name(SCHEMA, contract.table)} (\n    " + ",\n    ".join(lines) + "\n)")

    def insert(self, contract: Contract) -> Sql:
        """A few rows that keep every rule of the contract; none are added where the table has any."""
        columns = [column for column, _ in contract.landed_columns]
        rows = " union all ".join(
            f"select {', '.join(self._cell(contract, column, row) for column in columns)}" for row in range(ROWS)
        )
        listed, place = ", ".join(name(column) for column in columns), name(SCHEMA, contract.table)
        return Sql(f"insert into {place} ({listed}) select * from ({rows}) where not exists (select 1 from {place})")

    @property
    def broken_rules(self) -> Sql:
        """CREATE VIEW `broken_rules`: a row for each rule that Snowflake does not enforce, with how many rows break it."""
        counts = " union all ".join(
            f"select {text(contract.table)} as table_name, {text(rule)} as rule, count(*) as found from ({query})"
            for contract in self.ordered
            for rule, query in self.tests(contract)
        )
        return Sql(f"create or replace view {name(SCHEMA, 'broken_rules')} as {counts}")

    def tests(self, contract: Contract) -> Iterator[tuple[str, Sql]]:
        """Rules that Snowflake does not enforce, each with the query that returns what breaks it."""
        place = name(SCHEMA, contract.table)
        if contract.key:
            key = ", ".join(name(column) for column in contract.key)
            yield "unique key", Sql(f"select {key} from {place} group by {key} having count(*) > 1")
        if parent := self._parent(contract):
            member, other = name(parent.key[0]), name(SCHEMA, parent.table)
            yield (
                "known member",
                Sql(
                    f"select c.* from {place} as c where not exists (select 1 from {other} as p where p.{member} = c.{member})"
                ),
            )
        for column in contract.columns:
            for rule, condition in self._conditions(column):
                yield f"{rule} of {column.name}", Sql(f"select * from {place} where {condition}")

    def _conditions(self, column: Column) -> Iterator[tuple[str, str]]:
        if column.enum:
            yield "values", f"{name(column.name)} not in ({', '.join(text(value) for value in column.enum)})"
        for rule, sign, bound in (("minimum", "<", column.min), ("maximum", ">", column.max)):
            if bound is not None:
                at = resolve_bound(bound, DAY + timedelta(days=bound == "as_of"))
                limit = str(at) if isinstance(at, int | float) else f"{text(str(at))}::{column_type(column.data_type)}"
                yield rule, f"{name(column.name)} {sign} {limit}"

    def _parent(self, contract: Contract) -> Contract | None:
        """The population's contract, if this one refers to it by its key."""
        found = next((one for one in self.contracts.values() if one.population), None)
        is_child = (
            found is not None and found is not contract and len(found.key) == 1 and found.key[0] in contract.by_name
        )
        return found if is_child else None

    def _is_required(self, contract: Contract, column: str) -> bool:
        return column in contract.key or (column in contract.by_name and contract.by_name[column].required)

    def _cell(self, contract: Contract, column: str, row: int) -> str:
        kind = column_type(dict(contract.landed_columns)[column])
        found = contract.by_name.get(column)
        parent = self._parent(contract)
        if found is None or (found.pii and not self._is_required(contract, column)):
            return f"null::{kind}"  # no example of personal data
        if found.enum:
            value = found.enum[row % len(found.enum)]
        elif kind == "varchar":
            keyed = (
                f"U{row + 1:08d}" if column in ("user_id", *(parent.key if parent else ())) else f"{column} {row + 1}"
            )
            value = keyed
        elif kind == "date":
            value = (DAY - timedelta(days=row)).isoformat()
        elif kind.startswith("timestamp"):
            value = f"{DAY} {9 + row:02}:00:00"
        elif kind == "boolean":
            return f"{str(row % 2 == 0).lower()}::boolean"
        else:
            low = float(found.min) if isinstance(found.min, int | float) else 0
            value = str(int(low) + row + 1)
        return f"{text(value)}::{kind}"
