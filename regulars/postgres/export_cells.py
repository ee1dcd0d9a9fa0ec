"""Cells of an export in the store, as the reader of sheets would have given them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from regulars.sources.sheet_table import END_SERIAL, EPOCH, FIRST_SERIAL

if TYPE_CHECKING:
    from regulars.postgres.intake import CsvFile

SERIAL = r"^[0-9]{4,7}(\.[0-9]+)?$"
# What the pattern cannot be, found out for a tenth of its price: another beginning than a digit, a day as people write it.
MAY_BE_SERIAL = "ascii({column}) between 48 and 57 and strpos({column}, '-') = 0 and strpos({column}, '/') = 0 and {column} ~ {serial}"
# Days since the epoch; with a fraction it is a moment, to the millisecond.
AS_DAY = """
update {table} set {column} = case
    when {column} like '%.%' then (
        timestamp {epoch} + round(cast({column} as double precision) * 86400000) * interval '1 millisecond'
    )::text
    else (date {epoch} + cast({column} as integer))::text
end
where {column} ~ {serial} and cast({column} as double precision) >= {first} and cast({column} as double precision) < {end}
"""


def tidy_export(connection: psycopg.Connection[Any], table: sql.Identifier, file: CsvFile) -> int:
    """Leave rows without a filled cell out, and make days of bare numbers in columns of dates; the number of rows left out."""
    is_empty = sql.SQL("coalesce({}) is null").format(sql.SQL(", ").join(map(sql.Identifier, file.columns)))
    serials = [
        sql.SQL(MAY_BE_SERIAL).format(column=sql.Identifier(name), serial=sql.Literal(SERIAL)) for name in file.dates
    ]
    # One look at all rows, which PostgreSQL shares out among workers: nearly always there is nothing to change.
    odd = sql.SQL("select count(*) from {} where {}").format(table, sql.SQL(" or ").join([is_empty, *serials]))
    if connection.execute(odd).fetchone() == (0,):
        return 0
    empty = connection.execute(sql.SQL("delete from {} where {}").format(table, is_empty)).rowcount
    for name in file.dates:
        connection.execute(
            sql.SQL(AS_DAY).format(
                table=table, column=sql.Identifier(name), epoch=sql.Literal(EPOCH), serial=sql.Literal(SERIAL),
                first=sql.Literal(FIRST_SERIAL), end=sql.Literal(END_SERIAL),
            )
        )  # fmt: skip
    return empty
