"""How a source value becomes a value of a contract's type: exact, or not at all.

The engine's own casts are too kind ('1.5' is 2, '1_000' is 1000, 'yes' is true, a time zone is dropped), so text must
first have the written form of its type, and a typed value must survive the cast unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from regulars.engine import quote
from regulars.sources.options import ReadOptions

DAY = r"\d{4}-\d\d-\d\d"
CLOCK = r"\d\d:\d\d(:\d\d(\.\d{1,6}0*)?)?"
FLOAT = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
MIDNIGHT = rf"{DAY}([ T]00:00(:00(\.0+)?)?)?"
NAIVE = rf"{DAY}([ T]{CLOCK})?"
SPACED_ZONE = r"\s([Z+-][0-9:]*)$"
WITHOUT_SECONDS = r"^(.{16})\s?([Z+-])"
SECONDS_ADDED = r"\1:00\2"
FIRST_GROUP = r"\1"
ZONE = r"\s?(Z|[+-](0\d|1[0-5])(:?[0-5]\d)?)"  # as far as PostgreSQL and the engine go
ZONED = rf"{DAY}[ T]{CLOCK}{ZONE}"
DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
YEARS = {
    "date": "date '0001-01-01' and date '9999-12-31'",
    "timestamp": "timestamp '0001-01-01 00:00:00' and timestamp '9999-12-31 23:59:59.999999'",
}
FLOATS = {"DOUBLE", "FLOAT"}
NUMBERS = {
    "BIGINT",
    "INTEGER",
    "SMALLINT",
    "TINYINT",
    "UBIGINT",
    "UINTEGER",
    "USMALLINT",
    "UTINYINT",
    "HUGEINT",
    "UHUGEINT",
}


@dataclass(frozen=True)
class Typed:
    """SQL of a typed value over the input, and of "it has this type" over input (not null) and typed value."""

    value: str
    ok: str


def input_of(value: str, source_type: str, data_type: str, read: ReadOptions, *, nulls_are_read: bool) -> str:
    """SQL of a value as the rules see it: missing ones null, text for another type trimmed."""
    if source_type != "VARCHAR":
        nested = source_type.endswith("[]") or source_type.startswith(("STRUCT", "MAP", "UNION"))
        return f"to_json({value})" if nested and data_type == "varchar" else value
    result = value
    if read.null_values and not nulls_are_read:
        result = f"case when {value} in ({', '.join(map(quote, read.null_values))}) then null else {value} end"
    if data_type == "varchar":
        return result
    # Trimming every value costs more than typing it: only those that begin or end with white space are trimmed.
    spaced = f"{result} < '!' or ends_with({result}, ' ') or ends_with({result}, e'\\t') or ends_with({result}, e'\\r')"
    return f"case when {spaced} then nullif(trim({result}, e' \\t\\r\\n'), '') else {result} end"


def typed(value: str, result: str, source_type: str, data_type: str, read: ReadOptions) -> Typed:
    """How to type the column `value` (of `source_type`) as `data_type`; the typed column is called `result`."""
    found = (
        _from_text(value, result, data_type, read)
        if source_type == "VARCHAR"
        else _from_type(value, result, source_type, data_type, read)
    )
    if data_type in YEARS:  # the engine knows days from 5,877,642 BC to 5,881,580; nobody else does
        return Typed(found.value, f"(coalesce({result} between {YEARS[data_type]}, false) and {found.ok})")
    return found


def _from_text(value: str, result: str, data_type: str, read: ReadOptions) -> Typed:
    if data_type == "varchar":
        return Typed(value, "true")
    if data_type == "boolean":
        true, false = (
            ", ".join(quote(word.lower()) for word in words) for words in (read.true_values, read.false_values)
        )
        cast = f"case when lower({value}) in ({true}) then true when lower({value}) in ({false}) then false end"
        return Typed(cast, f"{result} is not null")
    if data_type == "date":
        return _date_from_text(value, result, read)
    if data_type == "timestamp":
        return _timestamp_from_text(value, result, read)
    number = _plain_number(value, read)
    cast = f"try_cast({number} as {data_type})"
    if data_type == "double":
        return Typed(cast, f"(regexp_full_match({number}, {quote(FLOAT)}) and isfinite({result}))")
    form = number_form(data_type)
    # Most values are written as the engine writes them; only the others need the slower look at their form.
    ok = (
        f"case when cast({result} as varchar) = {number} then true else {result} is not null and "
        f"regexp_full_match({number}, {quote(form)}) end"
    )
    return Typed(cast, ok)


def number_form(data_type: str) -> str:
    """Regular expression of how an integer or decimal is written: no more decimal places than it has, but zeros."""
    scale = int(match[2]) if (match := DECIMAL.fullmatch(data_type)) else 0
    fraction = rf"\d{{0,{scale}}}0*" if scale else "0*"
    lead = rf"|\.\d{{1,{scale}}}0*" if scale else ""
    return rf"[+-]?(\d+(\.{fraction})?{lead})"


def _plain_number(value: str, read: ReadOptions) -> str:
    """A number with a point and no grouping; a point that is neither makes the text no number at all."""
    if read.decimal == "." and not read.thousands:
        return value
    point = re.escape(read.decimal)
    other = "," if read.decimal == "." else "."
    result = f"translate({value}, {quote(read.decimal + other)}, '.~')"
    if read.thousands:
        group = re.escape(read.thousands)
        grouped = rf"[+-]?[1-9]\d{{0,2}}({group}\d{{3}})+({point}\d*)?"
        ungrouped = f"replace(replace({value}, {quote(read.thousands)}, ''), {quote(read.decimal)}, '.')"
        result = f"case when regexp_full_match({value}, {quote(grouped)}) then {ungrouped} else {result} end"
    return f"({result})"


def _date_from_text(value: str, result: str, read: ReadOptions) -> Typed:
    if read.date_format:
        return Typed(
            f"cast(try_strptime({value}, {quote(read.date_format)}) as date)",
            f"coalesce(year({result}) >= 1000, false)",
        )
    cast = f"try_cast(left({value}, 10) as date)"
    form = f"regexp_full_match({value}, {quote(MIDNIGHT)})"
    return Typed(cast, f"case when cast({result} as varchar) = {value} then true else {form} end")


def _timestamp_from_text(value: str, result: str, read: ReadOptions) -> Typed:
    if read.timestamp_format:
        parsed = f"try_strptime({value}, {quote(read.timestamp_format)})"
        cast = f"timezone('UTC', {parsed})" if "%z" in read.timestamp_format.lower() else _in_utc(parsed, read)
        return Typed(cast, f"coalesce(year({result}) >= 1000, false)")
    plain = f"try_cast({value} as timestamp)"
    usual = f"({value} like '____-__-__ __:__:__' or {value} like '____-__-__T__:__:__')"
    # The engine reads an offset only after seconds, and only where it follows them at once.
    with_seconds = f"regexp_replace({value}, {quote(WITHOUT_SECONDS)}, {quote(SECONDS_ADDED)})"
    joined = f"regexp_replace({with_seconds}, {quote(SPACED_ZONE)}, {quote(FIRST_GROUP)})"
    instant = f"timezone('UTC', try_cast({joined} as timestamptz))"
    zoned = f"regexp_full_match({value}, {quote(ZONED)})"
    cast = f"case when {usual} then {_in_utc(plain, read)} when {zoned} then {instant} else {_in_utc(plain, read)} end"
    form = f"regexp_full_match({value}, {quote(f'{NAIVE}|{ZONED}')})"
    return Typed(cast, f"case when cast({result} as varchar) = {value} then true else {form} end")


def _in_utc(value: str, read: ReadOptions) -> str:
    if read.timezone in (None, "UTC"):
        return value
    return f"timezone('UTC', timezone({quote(read.timezone or 'UTC')}, {value}))"


def _from_type(value: str, result: str, source_type: str, data_type: str, read: ReadOptions) -> Typed:
    """A typed source value: taken when the cast loses nothing."""
    if source_type.lower() == data_type and data_type != "double" and read.timezone in (None, "UTC"):
        return Typed(value, "true")
    if data_type == "varchar":
        if source_type == "BLOB":
            return Typed(f"try(decode({value}))", f"{result} is not null")
        return Typed(f"cast({value} as varchar)", "true")
    if data_type == "timestamp":
        if source_type == "TIMESTAMP WITH TIME ZONE":
            return Typed(f"timezone('UTC', {value})", f"isfinite({value})")
        if source_type.startswith("TIMESTAMP") or source_type == "DATE":
            cast = f"try_cast({value} as timestamp)"
            exact = f" and cast({result} as timestamp_ns) = {value}" if source_type == "TIMESTAMP_NS" else ""
            return Typed(_in_utc(cast, read), f"({result} is not null and isfinite({result}){exact})")
        return Typed("cast(null as timestamp)", "false")
    if data_type == "date":
        if source_type == "DATE":
            return Typed(value, f"isfinite({value})")
        if source_type.startswith("TIMESTAMP"):
            moment = f"timezone('UTC', {value})" if source_type.endswith("ZONE") else value
            return Typed(f"cast({moment} as date)", f"({result} = {moment} and isfinite({moment}))")
        return Typed("cast(null as date)", "false")
    if source_type not in NUMBERS | FLOATS | {"BOOLEAN"} and not _is_decimal(source_type):
        return Typed(f"cast(null as {data_type})", "false")
    # A double is what it is written as: 1e30 is 10 to the 30, not the binary number nearest to it.
    plain = f"cast({value} as varchar)" if source_type in FLOATS and _is_decimal(data_type.upper()) else value
    cast = f"try_cast({plain} as {data_type})"
    if source_type == "BOOLEAN":
        return Typed(cast, "true" if data_type == "boolean" else "false")
    if data_type == "boolean":
        return Typed(cast, f"{value} in (0, 1)")
    if data_type == "double":
        return Typed(cast, f"coalesce(isfinite({result}), false)")
    return Typed(cast, f"coalesce(try_cast({result} as {source_type}) = {value}, false)")


def _is_decimal(source_type: str) -> bool:
    return source_type.startswith("DECIMAL")
