"""Marks that stand in the place of secrets and personal values, and a search for them in everything that was written."""

from __future__ import annotations

import base64
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


def folded_forms(mark: str) -> set[bytes]:
    """The mark in lower case, reversed, as hex, percent-encoded and in UTF-16: to be looked for in lower-case bytes."""
    data = mark.encode()
    written = {mark, mark[::-1], data.hex(), "".join(f"%{byte:02x}" for byte in data), "\0".join(mark)}
    return {text.encode() for text in written}


def base64_forms(mark: str) -> set[bytes]:
    """What of the mark stands in base64 text whatever is before and after it, for each of the three offsets."""
    found = set()
    for data in (mark.encode(), mark.upper().encode(), mark.encode("utf-16-le")):
        for offset in range(3):
            text = base64.b64encode(b"\0" * offset + data)
            core = text[(0, 2, 3)[offset] :].rstrip(b"=")[: -2 if (len(data) + offset) % 3 else None]
            found |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


@dataclass(frozen=True)
class Search:
    """Looks for the marks of some secrets or personal fields."""

    marks: Mapping[str, str]

    def in_bytes(self, data: bytes) -> set[str]:
        """Names of the marks that occur, in whatever form."""
        lower = data.lower()
        return {
            name
            for name, mark in self.marks.items()
            if any(form in lower for form in folded_forms(mark)) or any(form in data for form in base64_forms(mark))
        }

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
