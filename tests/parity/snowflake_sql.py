"""Judges a statement as Snowflake would read it: whether it can be parsed, and whether it leans on what engines do differently."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

# Statements of Snowflake that sqlglot takes as they are, without looking into them; docs.snowflake.com has each.
UNREAD = re.compile(
    r"remove @[\w./=-]+|alter schema [\w.]+ swap with [\w.]+|list @[\w./=-]+|show [\w .]+( like '.*')?"
    r"|alter session (un)?set \w+.*|describe table [\w.\"]+|create or replace schema [\w.]+ clone [\w.]+",
    re.IGNORECASE | re.DOTALL,
)
# Functions that sqlglot has no class for, and Snowflake has.
KNOWN = {
    "TRY_TO_BOOLEAN", "TO_BINARY", "SHA2_BINARY", "SEQ4", "CURRENT_VERSION", "SYSTEM$ALLOWLIST", "CONVERT_TIMEZONE",
    "IS_NULL_VALUE", "TYPEOF", "TRY_PARSE_JSON", "OBJECT_CONSTRUCT_KEEP_NULL", "OBJECT_CONSTRUCT", "VALIDATE", "INFER_SCHEMA",
}  # fmt: skip
WEEKS = (exp.Week, exp.WeekOfYear, exp.WeekStart, exp.DayOfWeek, exp.DayOfWeekIso)
DOUBLE = {exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT}
# Words that are no names there without quotes (docs.snowflake.com/en/sql-reference/reserved-keywords), as far as we could come to use them.
RESERVED = {
    "ACCOUNT", "CHECK", "COLUMN", "CONNECTION", "CONSTRAINT", "CURRENT", "DATABASE", "FOLLOWING", "INCREMENT", "ISSUE", "LOCALTIME",
    "ORGANIZATION", "ROW", "ROWS", "SAMPLE", "SCHEMA", "SET", "START", "TABLE", "TRIGGER", "VALUES", "VIEW", "WHENEVER",
}  # fmt: skip
Rule = Callable[[exp.Expression], Iterator[str]]
UPPER = re.compile(r"[A-Z_][A-Z0-9_$]*")


def faults(sql: str, rules: Sequence[Rule] | None = None) -> list[str]:
    """What is wrong with a statement, in words; nothing for a good one. `rules`: those that it is judged by, else all."""
    text = sql.strip()
    if UNREAD.fullmatch(text):
        return []
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        trees = sqlglot.parse(text, read="snowflake")
    except ParseError as error:
        return [f"cannot be parsed: {str(error).splitlines()[0]}"]
    if len(trees) != 1 or trees[0] is None:
        return ["is not one statement"]
    if isinstance(trees[0], exp.Command):
        return ["is no statement that is known"]
    return [found for rule in (RULES if rules is None else rules) for found in rule(trees[0])]


def unknown_functions(tree: exp.Expression) -> Iterator[str]:
    """A name that neither sqlglot nor the list above knows is one of another engine, or a slip."""
    for call in tree.find_all(exp.Anonymous):
        if call.name.upper() not in KNOWN:
            yield f"function {call.name}"


def null_order(tree: exp.Expression) -> Iterator[str]:
    """Snowflake sorts nulls first for `desc`, DuckDB last: the text must say `nulls last`. For `asc` both take what it says."""
    for item in tree.find_all(exp.Ordered):
        if item.args.get("nulls_first") and item.args.get("desc"):
            yield f"nulls first in: order by {item.sql('snowflake')}"


def division(tree: exp.Expression) -> Iterator[str]:
    """Numbers divided are NUMBER with six more digits on Snowflake, double on DuckDB: one side must be a double."""
    for item in tree.find_all(exp.Div):
        sides = [side.unnest() for side in (item.left, item.right)]
        casts = [side for side in sides if isinstance(side, exp.Cast) and side.to.this in DOUBLE]
        if not casts:
            yield f"division without a double: {item.sql('snowflake')}"


def date_parts(tree: exp.Expression) -> Iterator[str]:
    """Differences and truncations by days only: parts are counted by borders, and weeks begin on other days."""
    for item in tree.find_all(exp.DateDiff, exp.DateAdd, exp.DateTrunc, exp.TimestampTrunc):
        unit = item.args.get("unit")
        if isinstance(item, exp.DateAdd) and unit is not None and unit.name.upper() == "MINUTE":
            continue  # added to a moment without a zone they are the same everywhere
        if unit is not None and unit.name.upper() not in ("DAY", "DAYS"):
            yield f"date part {unit.name}: {item.sql('snowflake')}"
    for item in tree.find_all(*WEEKS):
        yield f"a week begins on different days: {item.sql('snowflake')}"


def hashes(tree: exp.Expression) -> Iterator[str]:
    """HASH is every engine's own."""
    for item in tree.find_all(exp.Func):
        if item.sql_name() in ("HASH", "HASH_AGG", "FARM_FINGERPRINT") or (
            isinstance(item, exp.Anonymous) and item.name.upper() == "HASH"
        ):
            yield f"a hash of the engine's own: {item.sql('snowflake')}"


def quoted_names(tree: exp.Expression) -> Iterator[str]:
    """A name in quotes keeps its case, and is another than the same one without: only upper case, or what a file calls it."""
    outputs = {id(alias.args["alias"]) for alias in tree.find_all(exp.Alias)}
    tables = {alias.name for alias in tree.find_all(exp.TableAlias)}  # the statement's own names, written alike twice
    for name in tree.find_all(exp.Identifier):
        is_own = id(name) in outputs or (
            name.name in tables and (name.arg_key == "table" or isinstance(name.parent, exp.TableAlias))
        )
        if name.args.get("quoted") and not UPPER.fullmatch(name.name) and not is_own:
            yield f'a quoted name that is not in upper case: "{name.name}"'


def reserved_names(tree: exp.Expression) -> Iterator[str]:
    """A name that is a word of the language there."""
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted") and name.name.upper() in RESERVED:
            yield f"a reserved word as a name: {name.name}"


def null_arguments(tree: exp.Expression) -> Iterator[str]:
    """CONCAT_WS and REGEXP_REPLACE take nulls and repetitions differently."""
    for item in tree.find_all(exp.ConcatWs, exp.RegexpReplace):
        yield f"engines differ in {item.sql_name()}"


RULES: tuple[Rule, ...] = (
    unknown_functions, null_order, division, date_parts, hashes, quoted_names, reserved_names, null_arguments,
)  # fmt: skip
