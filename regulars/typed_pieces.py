"""Every piece of a source as one typed Parquet file, good and bad rows together, in source order."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from regulars.engine import identifier, quote
from regulars.errors import ContractError
from regulars.rows import plan_rows
from regulars.sources.base import Piece, Request
from regulars.sources.salvage import is_damage, refusal

OF_VALUES = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException)
# A column with more values than that in a row group is written without a dictionary: making one for nothing costs a
# seventh of the time to write, and a large one saves no bytes over zstd.
PARQUET = "(format parquet, compression zstd, compression_level 1, dictionary_size_limit 4096)"


@dataclass(frozen=True)
class TypedPiece:
    """`rows` with the `bad` ones, which have `_rejected`; `filtered` were left out. `absent`: contract columns that the
    source lacks."""

    piece: Piece
    path: Path
    rows: int
    bad: int
    filtered: int
    notes: tuple[str, ...]
    absent: tuple[str, ...]


class Kept(Protocol):
    """Pieces that are typed already."""

    def find(self, piece: Piece, spool: Path, number: int) -> TypedPiece | None: ...

    def keep(self, typed: TypedPiece) -> None: ...


def type_pieces(
    request: Request, pieces: Iterable[Piece], engine: duckdb.DuckDBPyConnection, spool: Path, kept: Kept | None = None
) -> list[TypedPiece]:  # fmt: skip
    """Type the pieces, in their order; those that lend a session side by side. What is `kept` of an earlier run is taken from there.

    Raises what the first one that failed raises; the others are broken off.
    """
    running: set[duckdb.DuckDBPyConnection] = set()

    def type_apart(piece: Piece, number: int) -> TypedPiece:
        with piece.session() if piece.session else nullcontext(engine) as session:
            running.add(session)
            try:
                return type_one(piece, session, number)
            finally:
                running.discard(session)

    def type_one(piece: Piece, session: duckdb.DuckDBPyConnection, number: int) -> TypedPiece:
        known = kept.find(piece, spool, number) if kept else None
        typed = known or _type_piece(request, piece, session, spool, number)
        if kept and not known:
            kept.keep(typed)
        return typed

    found: list[TypedPiece | Future[TypedPiece]] = []
    with ThreadPoolExecutor(request.settings.threads) as pool:
        try:
            for number, piece in enumerate(pieces):
                if piece.session is None:
                    found.append(type_one(piece, engine, number))
                else:
                    found.append(pool.submit(type_apart, piece, number))
            futures = [item for item in found if isinstance(item, Future)]
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for session in list(running):
                session.interrupt()
            raise
    return [item.result() if isinstance(item, Future) else item for item in found]


def _type_piece(
    request: Request, piece: Piece, engine: duckdb.DuckDBPyConnection, spool: Path, number: int
) -> TypedPiece:
    target = spool / f"typed-{number}.parquet"
    plan = plan_rows(request, piece, engine)
    try:
        written = engine.execute(f"copy ({plan.select}) to {quote(str(target))} {PARQUET}").fetchone()
        rows = int(written[0]) if written else 0
        total = engine.execute(piece.count or plan.total).fetchone() if plan.is_filtered else None
    except duckdb.Error as error:
        if is_damage(error) and piece.salvage is not None:
            return _type_piece(request, piece.salvage(str(error)), engine, spool, number)
        if is_damage(error):
            raise refusal(piece.source, str(error)) from None
        if isinstance(error, OF_VALUES) and _is_readable(piece, engine):
            raise _expression_failed(request, piece, error) from None
        if piece.explain is None:
            raise
        raise piece.explain(error) from None
    # The footer knows how many values are null; a file without rows has no row groups.
    bad = engine.execute(
        f"select sum(num_values - stats_null_count)::bigint from parquet_metadata({quote(str(target))}) "
        "where path_in_schema = '_rejected'"
    ).fetchone()
    return TypedPiece(
        piece,
        target,
        rows,
        int(bad[0] or 0) if bad else 0,
        int(total[0]) - rows if total else 0,
        plan.notes,
        plan.absent,
    )


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
