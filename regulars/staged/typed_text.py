"""How text becomes a value of a contract's type in Snowflake: the verdicts of `regulars.typing_rules`, in its SQL.

TRY_CAST there takes more than those rules do, and reads moments by the session's formats. So text must first have the
written form of its type, and moments are put together from their digits, for which one explicit format is enough.
"""

from __future__ import annotations

import re

from regulars.sources.options import ReadOptions
from regulars.staged.strptime import Pattern, pattern_of
from regulars.typing_rules import DECIMAL, FLOAT, MIDNIGHT, NAIVE, YEARS, ZONED, Typed, number_form
from regulars.warehouse.snowflake_text import quote

BIGINT = "-9223372036854775808 and 9223372036854775807"
DOUBLE = "-1.7976931348623157e308 and 1.7976931348623157e308"
MOMENT = "'YYYY-MM-DD HH24:MI:SS.FF6'"
MIDNIGHT_CLOCK = "'00:00:00.000000'"
OFFSET = r"[ \t]?(Z|[+-]\d\d(:?\d\d)?)$"  # after the day, so that its last hyphen is none


def input_of(value: str, data_type: str, read: ReadOptions) -> str:
    """SQL of a text as the rules see it: missing ones null, text for another type trimmed."""
    result = value
    if read.null_values:
        result = f"case when {value} in ({', '.join(map(quote, read.null_values))}) then null else {value} end"
    if data_type == "varchar":
        return result
    spaced = f"{result} < '!' or right({result}, 1) in (' ', {quote(chr(9))}, {quote(chr(13))})"
    return f"case when {spaced} then nullif(trim({result}, {quote(' ' + chr(9) + chr(13) + chr(10))}), '') else {result} end"


def typed(value: str, result: str, data_type: str, read: ReadOptions) -> Typed:
    """How to type the text column `value` as `data_type`; the typed column is called `result`."""
    if data_type == "varchar":
        return Typed(value, "true")
    if data_type == "boolean":
        true, false = (
            ", ".join(quote(word.lower()) for word in words) for words in (read.true_values, read.false_values)
        )
        cast = f"case when lower({value}) in ({true}) then true when lower({value}) in ({false}) then false end"
        return Typed(cast, f"{result} is not null")
    if data_type == "date":
        text = _day_text(value, read)
        return Typed(f"try_to_date({text}, 'YYYY-MM-DD')", _within(result, data_type, read.date_format))
    if data_type == "timestamp":
        moment = _with_format(value, read.timestamp_format) if read.timestamp_format else _iso_moment(value)
        return Typed(moment, _within(result, data_type, read.timestamp_format))
    number = _plain_number(value, read)
    if data_type == "double":
        cast = f"case when {_matches(number, FLOAT)} then try_cast({number} as double) end"
        return Typed(cast, f"coalesce({result} between {DOUBLE}, false)")
    match, form = DECIMAL.fullmatch(data_type), number_form(data_type)
    kind = f"number({match[1]},{match[2]})" if match else "number(38,0)"
    digits = number if match else f"split_part({number}, '.', 1)"
    cast = f"case when {_matches(number, form)} then try_cast({digits} as {kind}) end"
    return Typed(cast, f"coalesce({result} between {BIGINT}, false)" if not match else f"{result} is not null")


def _within(result: str, data_type: str, written: str | None) -> str:
    """A year of four digits; one that a format reads may not begin with zeros."""
    span = YEARS[data_type].replace("0001-", "1000-") if written else YEARS[data_type]
    return f"coalesce({result} between {span}, false)"


def _matches(value: str, form: str) -> str:
    """Snowflake's REGEXP_LIKE asks for the whole text."""
    return f"regexp_like({value}, {quote(form)})"


def _plain_number(value: str, read: ReadOptions) -> str:
    if read.decimal == "." and not read.thousands:
        return value
    point = re.escape(read.decimal)
    other = "," if read.decimal == "." else "."
    result = f"translate({value}, {quote(read.decimal + other)}, '.~')"
    if read.thousands:
        group = r"\." if read.thousands == "." else read.thousands
        grouped = rf"[+-]?[1-9]\d{{0,2}}({group}\d{{3}})+({point}\d*)?"
        ungrouped = f"replace(replace({value}, {quote(read.thousands)}, ''), {quote(read.decimal)}, '.')"
        result = f"case when {_matches(value, grouped)} then {ungrouped} else {result} end"
    return f"({result})"


def _day_text(value: str, read: ReadOptions) -> str:
    if not read.date_format:
        return f"case when {_matches(value, MIDNIGHT)} then left({value}, 10) end"
    pattern = pattern_of(read.date_format)
    return f"case when {_matches(value, pattern.form)} then {_day(value, pattern)} end"


def _day(value: str, pattern: Pattern) -> str:
    return f"{pattern.digits(value, 'Y')} || '-' || {pattern.digits(value, 'm')} || '-' || {pattern.digits(value, 'd')}"


def _with_format(value: str, written: str) -> str:
    pattern = pattern_of(written)
    clock = " || ':' || ".join(pattern.digits(value, letter) for letter in "HMS")
    text = f"{_day(value, pattern)} || ' ' || {clock} || '.' || {pattern.digits(value, 'f')}"
    return f"case when {_matches(value, pattern.form)} then try_to_timestamp_ntz({text}, {MOMENT}) end"


def _iso_moment(value: str) -> str:
    """Day, clock and offset by their places; a clock that stops early goes on with zeros, 24:00 is the next midnight."""
    offset = f"coalesce(regexp_substr(substr({value}, 11), {quote(OFFSET)}), '')"
    sign = f"ltrim({offset}, {quote(' ' + chr(9))})"
    clock = f"substr(left({value}, length({value}) - length({offset})), 12)"
    full = f"left({clock} || right({MIDNIGHT_CLOCK}, greatest(15 - length({clock}), 0)), 15)"
    ends = f"{full} = '24:00:00.000000'"
    text = f"left({value}, 10) || ' ' || case when {ends} then {MIDNIGHT_CLOCK} else {full} end"
    local = f"dateadd(day, case when {ends} then 1 else 0 end, try_to_timestamp_ntz({text}, {MOMENT}))"
    minutes = (
        f"try_cast(substr({sign}, 2, 2) as integer) * 60 + "
        f"case when length({sign}) > 3 then try_cast(right({sign}, 2) as integer) else 0 end"
    )
    east = f"case when {sign} in ('', 'Z') then 0 when left({sign}, 1) = '-' then {minutes} else -({minutes}) end"
    return f"case when {_matches(value, f'({NAIVE}|{ZONED})')} then dateadd(minute, {east}, {local}) end"
