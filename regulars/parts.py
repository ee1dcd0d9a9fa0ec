"""From the pieces of a source to the Parquet files of a batch: typed, bad rows split off, exact duplicates dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from regulars.contracts import Contract
from regulars.duplicates import LoadedFile, find_duplicates
from regulars.engine import identifier, quote
from regulars.manifest import Part
from regulars.sources.base import Piece, Request
from regulars.typed_pieces import PARQUET as PARQUET  # the form of every file of a batch
from regulars.typed_pieces import Kept, TypedPiece, type_pieces

# Bytes of a part for Snowflake, which advises files of 100 to 250 MB: it loads files side by side, and one by one thread.
LARGEST, AIMED = 250_000_000, 180_000_000
POSITION = "coalesce(_record_number, file_row_number + 1)"


@dataclass
class Draft:
    """The files of a batch, with their counts; `files` maps a part's name to where it lies in the spool, `absent` a contract
    column to a source that lacks it. `pinned`: digest of the source's files, where that stands for the content.
    `counted`: good and rejected rows, where they are known before there are files."""

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
    pinned: str | None = None
    counted: tuple[int, int] | None = None

    @property
    def rows_loaded(self) -> int:
        return self.counted[0] if self.counted else sum(part.rows for part in self.parts)

    @property
    def rows_quarantined(self) -> int:
        return self.counted[1] if self.counted else sum(part.rows for part in self.rejects)

    @property
    def content(self) -> str:
        """Digest over the digests of all files, in order."""
        if self.pinned is not None:
            return self.pinned
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


def draft_parts(
    request: Request, pieces: Iterable[Piece], engine: duckdb.DuckDBPyConnection, spool: Path, kept: Kept | None = None
) -> Draft:  # fmt: skip
    """Type every piece, then split off what is bad or there twice. A clean file is taken as it is."""
    typed = type_pieces(request, pieces, engine, spool, kept)
    draft = _draft_of(typed)
    drops = find_duplicates(request.contract, typed, engine)
    for number, item in enumerate(typed):
        if number and not item.rows and item.piece.session:
            continue  # a range without rows: there may be one more of them, the next time that the same rows are read
        dropped = drops.get(number, 0)
        if item.bad or item.piece.rejects:
            _write_rejects(item, engine, spool / f"rejects-{number}.parquet", draft)
        path = item.path
        if item.bad or dropped:
            path = spool / f"good-{number}.parquet"
            _write_good(request.contract, item, number if dropped else None, engine, path)
        for part, rows in _cut(request, path, item.rows - item.bad - dropped, engine):
            draft.add(draft.parts, part, item.piece.source, rows)
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
    typed = type_pieces(request, pieces, engine, spool)
    draft = _draft_of(typed)
    passing = {number: item for number, item in enumerate(typed) if item.rows > item.bad}
    drops = find_duplicates(request.contract, typed, engine, loaded) if passing else {}
    for number, item in passing.items():
        path = spool / f"good-{number}.parquet"
        dropped = drops.get(number, 0)
        _write_good(request.contract, item, number if dropped else None, engine, path)
        draft.add(draft.parts, path, item.piece.source, item.rows - item.bad - dropped)
        draft.rows_duplicate += dropped
        draft.positions.append(item.piece.position)
    draft.rows_filtered = 0  # rows that a where leaves out stay in quarantine
    return draft, {number: item.path for number, item in passing.items()}


def _draft_of(typed: Sequence[TypedPiece]) -> Draft:
    """A draft without files, with what was found while typing."""
    draft = Draft(rows_filtered=sum(item.filtered for item in typed))
    for item in typed:
        draft.absent |= {name: item.piece.source for name in item.absent if name not in draft.absent}
        draft.notes += [note for note in item.notes if note not in draft.notes]
    return draft


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


def _write_good(
    contract: Contract, item: TypedPiece, dropped_from: int | None, engine: duckdb.DuckDBPyConnection, target: Path
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


def _cut(request: Request, path: Path, rows: int, engine: duckdb.DuckDBPyConnection) -> list[tuple[Path, int]]:
    """A good file in pieces that Snowflake likes to load, with their rows; DuckDB does not mind a large one."""
    size = path.stat().st_size
    if request.settings.warehouse != "snowflake" or size <= LARGEST:
        return [(path, rows)]
    step = -(-rows // -(-size // AIMED))
    columns = ", ".join(identifier(name) for name, _ in request.contract.landed_columns)
    pieces = []
    for first in range(0, rows, step):
        target = path.with_name(f"{path.stem}-from-{first}.parquet")
        engine.execute(
            f"copy (select {columns}, {POSITION} as _record_number from read_parquet({quote(str(path))}, "
            f"file_row_number = true) where file_row_number between {first} and {first + step - 1}) "
            f"to {quote(str(target))} {PARQUET}"
        )
        pieces.append((target, min(step, rows - first)))
    path.unlink()
    return pieces


def _write_rejects(item: TypedPiece, engine: duckdb.DuckDBPyConnection, target: Path, draft: Draft) -> None:
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
