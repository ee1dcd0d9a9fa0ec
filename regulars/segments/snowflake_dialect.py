"""What a delivery says to Snowflake."""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache

from regulars.segments.unload import INNER, OUTER, Unloader
from regulars.warehouse.snowflake_text import quote

STARTS = "=+-@\t\r\n＝＋－＠"  # of a formula; NUL is one more


class SnowflakeDialect:
    """Expressions of Snowflake; its regular expressions know no classes of Unicode, so blanks are listed."""

    name = "snowflake"
    version = "current_version()"

    def hold_key(self, engine: Unloader, inner: bytes, outer: bytes) -> None:
        # Bound values of an INSERT are in no query history; the tables are the session's own.
        for name, pad in ((INNER, inner), (OUTER, outer)):
            engine.execute(f"create or replace temporary table {name} (pad varchar)")
            engine.execute(f"insert into {name} values (?)", [pad.hex()])

    def drop_key(self, engine: Unloader) -> None:
        for name in (INNER, OUTER):
            engine.execute(f"drop table if exists {name}")

    def keyed_hash(self, text: str) -> str:
        inner, outer = (f"to_binary((select pad from {name}), 'HEX')" for name in (INNER, OUTER))
        return f"sha2({outer} || sha2_binary({inner} || to_binary({text}, 'UTF-8'), 256), 256)"

    def columns(self) -> str:
        return (
            "select lower(column_name), case data_type when 'TEXT' then 'varchar' when 'FLOAT' then 'double' "
            "when 'TIMESTAMP_NTZ' then 'timestamp' when 'NUMBER' then case when numeric_precision = 38 and numeric_scale = 0 "
            "then 'bigint' else 'decimal(' || numeric_precision || ',' || numeric_scale || ')' end "
            "else lower(data_type) end from information_schema.columns where table_catalog = current_database() "
            "and lower(table_schema) = ? and lower(table_name) = ? order by ordinal_position"
        )

    def named(self, expression: str, column: str) -> str:
        return f'{expression} as "{column}"'

    def order_by_stored(self, table: str, column: str) -> str:
        return f" order by {table}.{column}"

    def misplaced(self, table: str, column: str) -> str:
        return f"select count(*) - count(distinct {column}) from {table}"

    def is_formula(self, text: str) -> str:
        starts = ", ".join(quote(sign) for sign in STARTS)
        return f"(left(ltrim(ltrim({text}, ''''), {quote(blanks())}), 1) in ({starts}, chr(0)))"

    def undo_guard(self, text: str) -> str:
        return f"(case when {text} like '''%' and {self.is_formula(text)} then substr({text}, 2) else {text} end)"


@lru_cache(maxsize=1)
def blanks() -> str:
    """Characters that may stand before a formula and do not begin one: separators and format characters."""
    listed = (chr(code) for code in range(sys.maxunicode + 1))
    return "\x0b\x0c" + "".join(sign for sign in listed if unicodedata.category(sign) in ("Zs", "Zl", "Zp", "Cf"))
