"""Which published relations an export is asked for, with the types of their columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from regulars.errors import ConfigError
from regulars.segments.unload import Dialect
from regulars.warehouse.published import PublishedReader

ALL = "all"
SCHEMAS = ("marts", "segments", "ops")  # in this order a name without a schema is looked for
# What `all` leaves to those who ask for it by name: views, which are every day of every member, and records of running.
EVERYTHING = ("marts", "segments")
FOUND = """
select lower(table_schema), lower(table_name), case when table_type like '%VIEW%' then 'view' else 'table' end
from information_schema.tables
where table_catalog = current_database()
order by 1, 2
"""
TYPED = re.compile(r"bigint|integer|smallint|tinyint|decimal\(\d+,\s*\d+\)|double|float|boolean|date|timestamp")


@dataclass(frozen=True)
class Relation:
    """A published table or view; `columns` are names and types in the words of contracts, in order."""

    schema: str
    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"


def choose_relations(reader: PublishedReader, names: Sequence[str], sql: Dialect) -> list[Relation]:
    """The relations that `names` say: `all`, `schema.name` or `name`; each once. Raises ConfigError for any other name."""
    found = {(schema, name): kind for schema, name, kind in reader.query(FOUND) if schema in SCHEMAS}
    chosen: dict[tuple[str, str], None] = {}
    for asked in names:
        if asked == ALL:
            places = [place for place, kind in found.items() if place[0] in EVERYTHING and kind == "table"]
        else:
            schema, _, name = asked.lower().rpartition(".")
            places = [place for place in ((one, name) for one in SCHEMAS if schema in ("", one)) if place in found][:1]
        if not places:
            raise ConfigError(
                f"{asked} is not published",
                remedy=f"all, or one of: {', '.join(f'{schema}.{name}' for schema, name in sorted(found))}",
            )
        chosen |= dict.fromkeys(places)
    return [Relation(*place, _columns(reader, place, sql)) for place in sorted(chosen)]


def _columns(reader: PublishedReader, place: tuple[str, str], sql: Dialect) -> tuple[tuple[str, str], ...]:
    return tuple((name, _file_type(kind)) for name, kind in reader.query(sql.columns(), list(place)))


def _file_type(kind: str) -> str:
    """The type that a file gets: a sum that is wider than any format is a decimal, what has no plain type is text."""
    kind = {"hugeint": "decimal(38,0)", "timestamp with time zone": "timestamp"}.get(kind, kind)
    return kind if TYPED.fullmatch(kind) else "varchar"
