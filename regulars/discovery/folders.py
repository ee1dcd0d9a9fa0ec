"""Tables among files: one per file, or per pattern where names differ in a date or in numbers alone."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from pathlib import Path

from regulars.discovery.found import Shelf
from regulars.discovery.names import contract_name
from regulars.errors import SourceError
from regulars.sources.options import FORMATS

DAY = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
NUMBER = re.compile(r"\d+")
MOST_SAMPLES = 32  # files of one table that are looked into


def file_tables(root: Path) -> list[Shelf]:
    """The tables of a folder, or of one file. Raises SourceError where nothing is there that can be read."""
    if not root.exists():
        raise SourceError(
            f"{root} does not exist", remedy="give a folder, a file, the url of a database, or a connection"
        )
    folder = root.parent if root.is_file() else root
    paths = [root] if root.is_file() else [path for path in sorted(root.rglob("*")) if path.is_file()]
    names = [path.relative_to(folder).as_posix() for path in paths if not path.name.startswith(".")]
    names = [name for name in names if _ending(name) and not any(part.startswith(".") for part in Path(name).parts)]
    if not names:
        raise SourceError(
            f"{root} has no file that can be read",
            remedy=f"endings that are known: {', '.join(FORMATS)} (also with .gz)",
        )
    patterns: dict[str, list[str]] = defaultdict(list)
    for name in names:
        patterns[_pattern(name)].append(name)
    numbered: dict[str, list[str]] = defaultdict(list)
    for pattern in patterns:
        numbered[NUMBER.sub("*", pattern) if "{as_of}" not in pattern else pattern].append(pattern)
    shelves = []
    for glob, members in numbered.items():
        pattern = glob if len(members) > 1 else members[0]
        found = sorted(name for member in members for name in patterns[member])
        shelves.append(_shelf(folder, pattern, found))
    return _apart(shelves)


def _ending(name: str) -> str | None:
    plain = name.lower().removesuffix(".gz")
    return next((ending for ending in FORMATS if plain.endswith(ending)), None)


def _pattern(name: str) -> str:
    """The name with its day as `{as_of}`; one that holds two different days has none."""
    days = {found for found in DAY.findall(name) if _day(found)}
    return name.replace(days.pop(), "{as_of}") if len(days) == 1 else name


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _shelf(folder: Path, pattern: str, names: list[str]) -> Shelf:
    step = -(-len(names) // (MOST_SAMPLES - 2))
    # Neighbours show whether a day repeats the one before it.
    chosen = sorted({*names[:2], *names[::step], names[-1]})
    samples = tuple(({"path": _literally(name)}, _day_of(name) if "{as_of}" in pattern else None) for name in chosen)
    of = f"{len(chosen)} of {len(names)} files" if len(names) > len(chosen) else f"{len(names)} files"
    of = of if len(names) > 1 else "one file"
    stem = Path(pattern.lower().removesuffix(".gz")).with_suffix("")
    parts = [re.sub(r"\{as_of\}|\*|as_of=", "", part).strip("-_. ") for part in reversed(stem.parts)]
    table = next((part for part in parts if part), folder.name)
    return Shelf(contract_name(table, "files"), {"path": pattern}, samples, of, is_all=len(chosen) == len(names))


def _literally(name: str) -> str:
    """A path that matches that file alone, also where its name looks like a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", name)


def _day_of(name: str) -> date | None:
    match = DAY.search(name)
    return _day(match[1]) if match else None


def _apart(shelves: list[Shelf]) -> list[Shelf]:
    """The same, with tables of one name told apart by number."""
    seen: dict[str, int] = {}
    apart = []
    for shelf in shelves:
        seen[shelf.table] = count = seen.get(shelf.table, 0) + 1
        apart.append(shelf if count == 1 else shelf.with_table(f"{shelf.table}_{count}"))
    return apart
