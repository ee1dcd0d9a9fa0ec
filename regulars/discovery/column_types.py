"""What type the values of a column have, judged by the same rules that a landing applies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from regulars.discovery.found import Guess
from regulars.engine import identifier, quote
from regulars.sources.options import ReadOptions
from regulars.typing_rules import input_of, typed

FIRST = 2_000  # values that choose which types are worth a look at all of them
MOSTLY = 0.98  # of the values: a type with a few exceptions, which a person is asked about
MISSING = ("NULL", "null", "Null", "N/A", "n/a", "NA", "#N/A", "\\N", "None", "nan", "NaN", "-", "--", "?", "(null)")
YES_NO = {
    "true_values": ["true", "t", "1", "yes", "y", "on", "ja", "oui", "si", "x"],
    "false_values": ["false", "f", "0", "no", "n", "off", "nein", "non"],
}
DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%b %d, %Y")
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
MOMENTS = tuple(f"{day} {clock}" for day in (*DATES, "%Y-%m-%d") for clock in CLOCKS)
FLAG = re.compile(
    r"^(is|has|was|can|flag|opt(ed)?_(in|out))_|_(flag|consent|enabled|active)$|^(flag|active|enabled|deleted|consent)$"
)
ID = re.compile(r"(^|_)(id|no|nr|number|code|key|uuid|guid|sku|ref)$|^(id|key)_")
CODE = re.compile(r"(^|_)(zip|zipcode|post_?code|postal_code|plz|cep|phone|telephone|tel|mobile|fax)(_|$)")
DATED = re.compile(r"(^|_)(date|day|dt|on|datum|jour|fecha)(_|$)")


@dataclass(frozen=True)
class Candidate:
    """A type, and `read:` options under which text has it."""

    data_type: str
    read: dict[str, Any] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True)
class Typing:
    """The type of a column, the options that it needs, and the words that mean "missing" in it."""

    data_type: Guess[str]
    read: dict[str, Any]
    missing: tuple[str, ...]


def type_of(engine: duckdb.DuckDBPyConnection, table: str, column: str, source_type: str, name: str) -> Typing:
    """The narrowest type that all values of a column have; the nearest one, and a question, where few do not."""
    declared = _declared(source_type)
    if declared:
        return Typing(Guess(declared, f"the source says {source_type.lower()}"), {}, ())
    if CODE.search(name) and source_type == "VARCHAR":
        return Typing(Guess("varchar", "a code, not a number"), {}, ())
    value = identifier(column)
    missing = _missing_words(engine, table, value) if source_type == "VARCHAR" else ()
    words = f"case when {value} in ({', '.join(map(quote, missing))}) then null else {value} end" if missing else value
    candidates = _candidates(engine, table, words, source_type, name)
    first = _matches(engine, f"(select * from {table} limit {FIRST})", words, source_type, candidates)
    likely = [one for one, share in zip(candidates, first, strict=True) if share >= MOSTLY - 0.01]
    shares = _matches(engine, table, words, source_type, likely)
    whole = [one for one, share in zip(likely, shares, strict=True) if share == 1]
    if whole:
        return Typing(Guess(whole[0].data_type, whole[0].why, _ambiguous(whole)), whole[0].read, missing)
    near = max(zip(shares, range(len(likely)), strict=True), default=(0.0, 0), key=lambda one: (one[0], -one[1]))
    best = likely[near[1]] if likely else None
    if best and near[0] >= MOSTLY and ID.search(name):
        return Typing(Guess("varchar", f"text: {1 - near[0]:.2%} of the values are not {best.data_type}"), {}, ())
    if best and near[0] >= MOSTLY:
        ask = f"{1 - near[0]:.2%} of the values are not {best.data_type}: quarantine them, map them, or make it varchar"
        return Typing(Guess(best.data_type, f"{best.why}; not all", ask), best.read, missing)
    return Typing(Guess("varchar", "text"), {}, ())


def _declared(source_type: str) -> str | None:
    """The contract's type for one that a typed source names; None where the values have to tell."""
    if source_type in ("BOOLEAN", "DATE"):
        return source_type.lower()
    if source_type.startswith("TIMESTAMP"):
        return "timestamp"
    if source_type.startswith("DECIMAL"):
        return source_type.lower()
    if source_type in ("UBIGINT", "HUGEINT", "UHUGEINT"):
        return "decimal(38,0)" if source_type != "UBIGINT" else "decimal(20,0)"
    return (
        None
        if source_type in ("VARCHAR", "DOUBLE", "FLOAT")
        or source_type.endswith("INT")
        or source_type.endswith("INTEGER")
        else "varchar"
    )


def _missing_words(engine: duckdb.DuckDBPyConnection, table: str, value: str) -> tuple[str, ...]:
    """Words for nothing, in a column in which other values are there too."""
    listed = ", ".join(map(quote, MISSING))
    found = engine.execute(f"select distinct {value} from {table} where {value} in ({listed})").fetchall()
    others = engine.execute(
        f"select count(*) from (select 1 from {table} where {value} <> '' and {value} not in ({listed}) limit 1)"
    ).fetchone()
    return tuple(sorted(str(word) for (word,) in found)) if others and others[0] else ()


def _candidates(
    engine: duckdb.DuckDBPyConnection, table: str, value: str, source_type: str, name: str
) -> list[Candidate]:
    if source_type not in ("VARCHAR", "DOUBLE", "FLOAT"):
        kinds = [Candidate("boolean", why="0 and 1 alone")] if FLAG.search(name) or source_type == "TINYINT" else []
        return [*kinds, Candidate("bigint", why=f"the source says {source_type.lower()}")]
    if source_type != "VARCHAR":
        numbers = _numbers(engine, table, value, source_type)
        return [Candidate("bigint", why="whole numbers"), *numbers, Candidate("double", why="numbers with many places")]
    flags = [Candidate("boolean", why="0 and 1, or true and false, alone")]
    words = [*flags, Candidate("boolean", YES_NO, "yes and no, or the like, alone")]
    shape = _shape(engine, table, value)
    if shape["is_dated"] >= MOSTLY - 0.01:
        return [
            Candidate("date", why="days in ISO form"),
            Candidate("timestamp", why="moments in ISO form"),
            *(Candidate("date", {"date_format": form}, f"days as {form}") for form in DATES),
            *(Candidate("timestamp", {"timestamp_format": form}, f"moments as {form}") for form in MOMENTS),
            Candidate("timestamp", {"timestamp_format": "%Y-%m-%dT%H:%M:%S%z"}, "moments with an offset"),
        ]
    if shape["is_number"] < MOSTLY - 0.01:
        return words
    if _has_leading_zeros(engine, table, value):
        return flags if FLAG.search(name) else []
    compact = [Candidate("date", {"date_format": "%Y%m%d"}, "days as %Y%m%d")] if DATED.search(name) else []
    integer = [*compact, Candidate("bigint", why="whole numbers")]
    exponents = Candidate("double", why="numbers, some with an exponent")
    numbers = _numbers(engine, table, value, source_type)
    return [*(flags if FLAG.search(name) else []), *integer, *words, *numbers, exponents]


def _shape(engine: duckdb.DuckDBPyConnection, table: str, value: str) -> dict[str, float]:
    """Shares of the first values that begin like a number, or have two separators like a day: only such are tried."""
    number, dated = r"\s*[-+(]?[.,]?\d.*", r"\s*(\d{1,4}[-/. ]\w{1,3}[-/. ]\s?\d{2}|[A-Za-z]{3} \d{1,2}, \d{4}).*"
    row = engine.execute(
        f"select avg(regexp_full_match(v, {quote(number)})::int), avg(regexp_full_match(v, {quote(dated)})::int) "
        f"from (select {value} as v from {table} where {value} <> '' limit {FIRST})"
    ).fetchone() or (0, 0)
    return {"is_number": float(row[0] or 0), "is_dated": float(row[1] or 0)}


def _numbers(engine: duckdb.DuckDBPyConnection, table: str, value: str, source_type: str) -> list[Candidate]:
    """Decimals as wide as the values need, for each way of writing them."""
    found = []
    ways: Sequence[tuple[str, str | None]] = ((".", None), (",", None), (".", ","), (",", "."), (",", " "), (".", "'"))
    for point, group in ways[: 1 if source_type != "VARCHAR" else None]:
        number = rf"cast({value} as varchar)"
        fraction = f"max(length(rtrim(regexp_extract({number}, '\\d*[{point}](\\d+)\\s*$', 1), '0')))"
        whole = f"max(length(regexp_replace(split_part({number}, '{point}', 1), '[^0-9]', '', 'g')))"
        row = engine.execute(f"select {fraction}, {whole} from {table}").fetchone() or (0, 0)
        scale, digits = int(row[0] or 0), int(row[1] or 0)
        if scale + digits > 38 or scale > 12:
            continue
        scale = max(scale, 2)
        options: dict[str, Any] = {"decimal": point} if point != "." else {}
        options |= {"thousands": group} if group else {}
        why = f"up to {digits} digits before and {scale} after {'a comma' if point == ',' else 'the point'}"
        precision = 18 if digits + scale <= 16 else 38
        found.append(
            Candidate(f"decimal({precision},{scale})", options, why + (f", grouped by {group!r}" if group else ""))
        )
    return found


def _has_leading_zeros(engine: duckdb.DuckDBPyConnection, table: str, value: str) -> bool:
    row = engine.execute(f"select bool_or(regexp_full_match({value}, '\\s*0\\d+\\s*')) from {table}").fetchone()
    return bool(row and row[0])


def _matches(
    engine: duckdb.DuckDBPyConnection, table: str, value: str, source_type: str, candidates: Sequence[Candidate]
) -> list[float]:
    """The share of values that have each type; 0 where there are no values."""
    if not candidates:
        return []
    inputs, results, checks = [], [], []
    for n, one in enumerate(candidates):
        read = ReadOptions.model_validate(one.read)
        found = typed(f"i{n}", f"t{n}", source_type, one.data_type, read)
        inputs.append(f"{input_of('v', source_type, one.data_type, read, nulls_are_read=True)} as i{n}")
        results.append(f"{found.value} as t{n}")
        checks.append(f"count_if(i{n} is not null and {found.ok}) / nullif(count(i{n}), 0)")
    source = f"select {value} as v from {table}"
    rows = f"select *, {', '.join(results)} from (select {', '.join(inputs)} from ({source}))"
    row = engine.execute(f"select {', '.join(checks)} from ({rows}) ").fetchone() or ()
    return [float(share or 0) for share in row]


def _ambiguous(fitting: Sequence[Candidate]) -> str:
    forms = [next(iter(one.read.values())) for one in fitting if {"date_format", "timestamp_format"} & one.read.keys()]
    days = [form for form in forms if form[:5] in ("%d/%m", "%m/%d", "%d-%m", "%m-%d")]
    if fitting[0].read and len({form[:5] for form in days}) > 1:
        return f"day or month first? every value fits {' and '.join(days[:2])}"
    if fitting[0].read.get("decimal") == "," and any(one.read.get("thousands") == "," for one in fitting):
        return "is the comma the decimal point, or does it group thousands? every value fits both"
    return ""
