"""Marks that stand in the place of secrets and personal values, and a search for them in everything that was written."""

from __future__ import annotations

import base64
import re
import traceback
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

SECRETS = {
    name: f"zqs{name}x{number:02d}v7"
    for number, name in enumerate(
        ("pgpassword", "s3keyid", "s3secret", "s3token", "pseudonymkey", "secretblock", "environment", "urlpart"), 11
    )
}
PERSONAL = {
    name: f"zqp{name}x{number:02d}w9"
    for number, name in enumerate(("email", "name", "phone", "address", "feedback", "notes", "agentnotes"), 51)
}
EVERYTHING = SECRETS | PERSONAL


def forms(mark: str) -> set[str]:
    """The mark as it is (any case), as hex, percent-encoded, and as it looks inside base64 text at any offset."""
    data = mark.encode()
    found = {re.escape(mark), data.hex(), "".join(f"%{byte:02x}" for byte in data), mark[::-1]}
    variants = [data, data.upper(), mark.encode("utf-16-le")]
    for variant, offset in ((variant, offset) for variant in variants for offset in range(3)):
        text = base64.b64encode(b"\0" * offset + variant).decode()
        core = text[{0: 0, 1: 2, 2: 3}[offset] :].rstrip("=")[: -2 if (len(variant) + offset) % 3 else None]
        found |= {re.escape(core), re.escape(core.replace("+", "-").replace("/", "_"))}
    return found | {re.escape("\0".join(mark))}


@dataclass(frozen=True)
class Search:
    """Looks for the marks of some secrets or personal fields."""

    marks: Mapping[str, str]

    def in_bytes(self, data: bytes) -> set[str]:
        """Names of the marks that occur, in whatever form."""
        return {name for name, pattern in self._patterns().items() if pattern.search(data)}

    def in_text(self, text: str) -> set[str]:
        return self.in_bytes(text.encode("utf-8", "backslashreplace"))

    def in_file(self, path: Path) -> set[str]:
        """Bytes of the file, and what it holds where it is a packed format: Parquet, DuckDB, ZIP."""
        data = path.read_bytes()
        found = self.in_bytes(data)
        if path.suffix == ".parquet":
            with duckdb.connect() as reader:
                found |= self.in_text(str(reader.execute(f"from read_parquet('{path}')").fetchall()))
        elif path.suffix == ".duckdb":
            found |= set().union(*self.in_database(path).values())
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                found |= set().union(*(self.in_bytes(packed.read(name)) for name in packed.namelist()))
        return found

    def in_database(self, path: Path) -> dict[str, set[str]]:
        """Marks by relation of a DuckDB file: its stored tables row by row, and the SQL of its views."""
        with duckdb.connect(str(path), read_only=True) as reader:
            tables = reader.execute("select schema_name, table_name from duckdb_tables()").fetchall()
            found = {
                f"{schema}.{table}": self.in_text(str(reader.execute(f'from "{schema}"."{table}"').fetchall()))
                for schema, table in tables
            }
            found["views"] = self.in_text(str(reader.execute("select sql from duckdb_views()").fetchall()))
        return found

    def in_folder(self, root: Path, *, but: Iterable[str] = ()) -> dict[str, set[str]]:
        """Marks by file below `root`, without the folders named in `but`; names of files are searched too."""
        hits: dict[str, set[str]] = {}
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).as_posix()
            if any(inside == left or inside.startswith(f"{left}/") for left in but):
                continue
            found = self.in_text(inside)
            if path.is_file() and not path.is_symlink():
                found |= self.in_file(path)
            if found:
                hits[inside] = found
        return hits

    def in_error(self, error: BaseException) -> set[str]:
        """Everything an exception says, with its causes and contexts, suppressed ones too."""
        return set().union(*(self.in_text(text) for text in texts_of(error)))

    def _patterns(self) -> dict[str, re.Pattern[bytes]]:
        if self not in _COMPILED:
            _COMPILED[self] = {
                name: re.compile("|".join(forms(mark)).encode(), re.IGNORECASE) for name, mark in self.marks.items()
            }
        return _COMPILED[self]

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.marks.items())))


_COMPILED: dict[Search, dict[str, re.Pattern[bytes]]] = {}


def texts_of(error: BaseException) -> Iterator[str]:
    """str, repr, arguments and attributes of an exception and of all that hang on it."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield f"{one} {one!r} {one.args!r} {vars(one)!r} {getattr(one, '__notes__', '')}"
        yield "".join(traceback.format_exception(one))
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


def process_texts() -> str:
    """Command lines of all processes of this machine, as any account can read them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(lines)
