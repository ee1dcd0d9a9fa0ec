"""Pieces of a transfer that are typed already: a killed one goes on behind them, as long as the source is what it was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from regulars.sources.base import Piece, Request
from regulars.typed_pieces import TypedPiece


class Checkpoints:
    """The finished pieces of one table, day and state of the source, below `<home>/transfers`."""

    def __init__(self, request: Request, state: str) -> None:
        facts = (
            state,
            request.as_of,
            request.contract.fingerprint(),
            request.settings.fingerprint(),
            request.source.model_dump_json(),
        )
        self._root = request.settings.home_dir / "transfers" / request.table
        self._folder = self._root / hashlib.sha256(repr(facts).encode()).hexdigest()[:20]
        for left in self._root.iterdir() if self._root.exists() else ():
            if left != self._folder:  # of a source that has changed since
                shutil.rmtree(left, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, piece: Piece, spool: Path, number: int) -> TypedPiece | None:
        """The piece as an earlier run has typed it, with its file linked into `spool`; None where it has not."""
        facts = self._path(piece, "json")
        if not facts.exists():
            return None
        target = spool / f"typed-{number}.parquet"
        os.link(self._path(piece, "parquet"), target)
        found = json.loads(facts.read_text())
        return TypedPiece(
            piece, target, found["rows"], found["bad"], found["filtered"], tuple(found["notes"]), tuple(found["absent"])
        )

    def keep(self, typed: TypedPiece) -> None:
        """Keep a piece; what says that it is there is written last."""
        target, facts = self._path(typed.piece, "parquet"), self._path(typed.piece, "json")
        target.unlink(missing_ok=True)
        os.link(typed.path, target)
        draft = facts.with_suffix(".draft")
        said = {name: getattr(typed, name) for name in ("rows", "bad", "filtered", "notes", "absent")}
        draft.write_text(json.dumps(said))
        draft.replace(facts)

    def clear(self) -> None:
        """Forget everything of this table: it has arrived, or cannot be trusted."""
        shutil.rmtree(self._root, ignore_errors=True)

    def _path(self, piece: Piece, ending: str) -> Path:
        first, end = piece.position.get("pages") or (0, "end")
        return self._folder / f"{first}-{end}.{ending}"
