"""From the pieces of a source to the Parquet files of a batch: typed, bad rows split off, exact duplicates dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from regulars.contracts import Contract
from regulars.engine import identifier, quote
from regulars.errors import ContractError
from regulars.manifest import Part
from regulars.rows import plan_rows
from regulars.sources.base import Piece, Request
from regulars.sources.salvage import is_damage, refusal

OF_VALUES = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException)
PARQUET = "(format parquet, compression zstd, compression_level 1)"
LoadedFile = tuple[str, Set[str]]  # where a landed file lies, and the columns that it has
LOADED = -1  # stands for every loaded file where pieces are counted
KEYS_AT_ONCE = 4_000_000  # whose hashes are counted in one go, some 150 MB
POSITION = "coalesce(_record_number, file_row_number + 1)"


@dataclass
class Draft:
    """The files of a batch in the spool, with their counts; `files` maps a part's name to where it lies, `absent` a contract
    column to a source that lacks it."""

    parts: list[Part] = field(default_factory=list)
    rejects: list[Part] = field(default_factory=list)
    replays: list[Part] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    rows_duplicate: int = 0
    rows_filtered: int = 0
    rejects_by_rule: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    positions: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rows_loaded(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def rows_quarantined(self) -> int:
        return sum(part.rows for part in self.rejects)

    @property
    def content(self) -> str:
        """Digest over the digests of all files, in order."""
        digests = [part.sha256 for part in self.parts] + ["rejects"] + [part.sha256 for part in self.rejects]
        return hashlib.sha256("\n".join(digests).encode()).hexdigest()

    def add(self, kind: list[Part], path: Path, source: str, rows: int) -> None:
        """Take a finished file in as the next part (or reject file)."""
        prefix = "rejects" if kind is self.rejects else "replays" if kind is self.replays else "part"
        name = f"{prefix}-{len(kind):04d}.parquet"
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        kind.append(Part(name=name, source=source, rows=rows, bytes=path.stat().st_size, sha256=digest))
        self.files[name] = path


@dataclass(frozen=True)
class _Typed:
    """A piece as one typed file: good and bad rows together, in source order."""

    piece: Piece
    path: Path
    rows: int
    bad: int


def draft_parts(request: Request, pieces: Iterable[Piece], engine: duckdb.DuckDBPyConnection, spool: Path) -> Draft:
    """Type every piece, then split off what is bad or there twice. A clean file is taken as it is."""
    draft = Draft()
    typed = [_type_piece(request, piece, engine, spool, number, draft) for number, piece in enumerate(pieces)]
    drops = _find_duplicates(request.contract, typed, engine)
    for number, item in enumerate(typed):
        dropped = drops.get(number, 0)
        if item.bad or item.piece.rejects:
            _write_rejects(item, engine, spool / f"rejects-{number}.parquet", draft)
        path = item.path
        if item.bad or dropped:
            path = spool / f"good-{number}.parquet"
            _write_good(request.contract, item, number if dropped else None, engine, path)
        draft.add(draft.parts, path, item.piece.source, item.rows - item.bad - dropped)
        draft.rows_duplicate += dropped
        draft.positions.append(item.piece.position)
    return draft


def draft_repaired(
    request: Request,
    pieces: Iterable[Piece],
    loaded: Sequence[LoadedFile],
    engine: duckdb.DuckDBPyConnection,
    spool: Path,
) -> tuple[Draft, dict[int, Path]]:
    """Type rejected rows again and keep those that pass; also the typed file of each piece (by position) with any.

    Of `loaded`, files of the day that count already, no row is taken in a second time.
    """
    draft = Draft()
    typed = [_type_piece(request, piece, engine, spool, number, draft) for number, piece in enumerate(pieces)]
    passing = {number: item for number, item in enumerate(typed) if item.rows > item.bad}
    drops = _find_duplicates(request.contract, typed, engine, loaded) if passing else {}
    for number, item in passing.items():
        path = spool / f"good-{number}.parquet"
        dropped = drops.get(number, 0)
        _write_good(request.contract, item, number if dropped else None, engine, path)
        draft.add(draft.parts, path, item.piece.source, item.rows - item.bad - dropped)
        draft.rows_duplicate += dropped
        draft.positions.append(item.piece.position)
    draft.rows_filtered = 0  # rows that a where leaves out stay in quarantine
    return draft, {number: item.path for number, item in passing.items()}


def _type_piece(
    request: Request, piece: Piece, engine: duckdb.DuckDBPyConnection, spool: Path, number: int, draft: Draft
) -> _Typed:
    target = spool / f"typed-{number}.parquet"
    plan = plan_rows(request, piece, engine)
    try:
        written = engine.execute(f"copy ({plan.select}) to {quote(str(target))} {PARQUET}").fetchone()
        rows = int(written[0]) if written else 0
        total = engine.execute(piece.count or plan.total).fetchone() if plan.is_filtered else None
    except duckdb.Error as error:
        if is_damage(error) and piece.salvage is not None:
            return _type_piece(request, piece.salvage(str(error)), engine, spool, number, draft)
        if is_damage(error):
            raise refusal(piece.source, str(error)) from None
        if isinstance(error, OF_VALUES) and _is_readable(piece, engine):
            raise _expression_failed(request, piece, error) from None
        if piece.explain is None:
            raise
        raise piece.explain(error) from None
    draft.absent |= {name: piece.source for name in plan.absent if name not in draft.absent}
    draft.notes += [note for note in plan.notes if note not in draft.notes]
    draft.rows_filtered += int(total[0]) - rows if total else 0
    bad = engine.execute(f"select count(_rejected) from read_parquet({quote(str(target))})").fetchone()
    return _Typed(piece, target, rows, int(bad[0]) if bad else 0)


def count_filled(draft: Draft, contract: Contract, engine: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Values (not null) of each contract column that has any, from the footers of the parts."""
    if not draft.parts:
        return {}
    files = ", ".join(quote(str(draft.files[part.name])) for part in draft.parts)
    rows = engine.execute(
        "select path_in_schema, sum(num_values - stats_null_count)::bigint as filled "
        f"from parquet_metadata([{files}]) group by path_in_schema"
    ).fetchall()
    found = {str(name): int(filled) for name, filled in rows if filled}
    return {name: found[name] for name in contract.by_name if name in found}


def _find_duplicates(
    contract: Contract,
    typed: list[_Typed],
    engine: duckdb.DuckDBPyConnection,
    loaded: Sequence[LoadedFile] = (),
) -> dict[int, int]:
    """How many rows of each piece are exact copies of a loaded or an earlier one; the table `dropped` says which.

    Keys that occur twice are found by a hash of the key alone; whole rows are compared only among those.
    """
    if not contract.key or contract.duplicates == "keep":
        return {}
    key = ", ".join(map(identifier, contract.key))
    rows = " union all by name ".join(
        f"select *, {number} as piece from read_parquet({quote(str(item.path))}, file_row_number = true)"
        for number, item in enumerate(typed)
    )
    good = f"(from ({rows}) where _rejected is null)"
    if loaded:
        before = " union all ".join(_loaded_rows(contract, file, columns) for file, columns in loaded)
        known = f"from ({before}) where hash({key}) in (select hash({key}) from {good})"
        good = f"({good} union all by name ({known}))"
    passes = 1 + sum(item.rows for item in typed) // KEYS_AT_ONCE
    engine.execute("create or replace temp table twice (h ubigint)")
    for number in range(passes):  # so that memory does not grow with the table
        engine.execute(
            f"insert into twice select h from (select hash({key}) as h from {good}) where h % {passes} = {number} "
            "group by h having count(*) > 1"
        )
    found = engine.execute("select count(*) from twice").fetchone()
    if not found or not found[0]:
        return {}
    columns = ", ".join(identifier(column.name) for column in contract.columns)
    engine.execute(
        f"create or replace temp table dropped as select piece, file_row_number as position from {good} semi join "
        f"twice on hash({key}) = h "
        f"qualify row_number() over (partition by {columns} order by piece, file_row_number) > 1"
    )
    counts = engine.execute(f"select piece, count(*) from dropped where piece > {LOADED} group by piece").fetchall()
    return {int(piece): int(count) for piece, count in counts}


def _loaded_rows(contract: Contract, file: str, columns: Set[str]) -> str:
    """Rows of a landed file as the contract of now would have them, for the comparison with repaired ones."""
    values = ", ".join(
        f"try_cast({identifier(name) if name in columns else 'null'} as {kind}) as {identifier(name)}"
        for name, kind in contract.landed_columns
    )
    source = f"read_parquet({quote(file)}, file_row_number = true, hive_partitioning = false)"
    return f"select {values}, null as _rejected, file_row_number, {LOADED} as piece from {source}"


def _write_good(
    contract: Contract, item: _Typed, dropped_from: int | None, engine: duckdb.DuckDBPyConnection, target: Path
) -> None:
    columns = ", ".join(identifier(name) for name, _ in contract.landed_columns)
    source = f"read_parquet({quote(str(item.path))}, file_row_number = true)"
    select = f"select {columns}, {POSITION} as _record_number from {source} where _rejected is null"
    if dropped_from is not None:  # the join does not promise the order, so it is made again
        select += (
            f" and file_row_number not in (select position from dropped where piece = {dropped_from}) order "
            "by file_row_number"
        )
    engine.execute(f"copy ({select}) to {quote(str(target))} {PARQUET}")


def _write_rejects(item: _Typed, engine: duckdb.DuckDBPyConnection, target: Path, draft: Draft) -> None:
    text = "json_extract_string(_rejected, '$.{}')".format
    parts = [
        f"select {POSITION} as record_number, cast(null as bigint) as byte_offset, {text('rule')} as rule, "
        f"{text('reason')} as reason, "
        f"{text('raw')} as raw from read_parquet({quote(str(item.path))}, file_row_number = true) where _rejected "
        "is not null"
    ]
    if item.piece.rejects:
        parts.append(f"select record_number, byte_offset, rule, reason, raw from ({item.piece.rejects})")
    rows = " union all ".join(parts)
    engine.execute(
        f"copy (select {quote(item.piece.source)} as source, * from ({rows}) order by record_number) to "
        f"{quote(str(target))} {PARQUET}"
    )
    counts = engine.execute(
        f"select rule, count(*) from read_parquet({quote(str(target))}) group by rule order by rule"
    ).fetchall()
    for rule, count in counts:
        draft.rejects_by_rule[rule] = draft.rejects_by_rule.get(rule, 0) + int(count)
    draft.add(draft.rejects, target, item.piece.source, sum(int(count) for _, count in counts))


def _is_readable(piece: Piece, engine: duckdb.DuckDBPyConnection) -> bool:
    """Whether every value of the source can be read when nothing is made of it: then the fault lies with what is."""
    read = " or ".join(f"hash({identifier(name)}) is null" for name, _ in piece.columns)
    try:
        engine.execute(f"select count(*) from ({piece.relation}) where {read}")
    except duckdb.Error:
        return False
    return True


def _expression_failed(request: Request, piece: Piece, error: duckdb.Error) -> ContractError:
    """The engine's words may quote a value, so they are only shown for tables without personal data."""
    text = (
        str(error).split("\n", 1)[0][:200]
        if not request.contract.personal_columns
        else "a value that it cannot convert"
    )
    return ContractError(
        f"{piece.source}: an expression under tables.{request.table} in sources.yml failed: {text}",
        remedy="use try_cast in the expression: a row that it makes null of is then judged by the contract",
    )
