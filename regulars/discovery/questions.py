"""Open questions: what drafts leave for a person to decide, until the comment that says so is taken away."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TODO = re.compile(r"(?:#|--)\s*TODO\b:?\s*(.*)")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')  # what only looks like a comment, inside a text


@dataclass(frozen=True)
class Question:
    """A line of a file that waits for a decision."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


def open_questions(paths: Iterable[Path]) -> list[Question]:
    """The questions in contracts, sources.yml and staging models: files, and folders that hold them."""
    found = []
    for path in paths:
        files = (
            sorted(file for ending in ("*.yml", "*.sql") for file in path.rglob(ending)) if path.is_dir() else [path]
        )
        for file in files:
            for number, line in enumerate(file.read_text().splitlines(), start=1):
                match = TODO.search(QUOTED.sub('""', line))
                if match:
                    found.append(Question(file, number, match[1].strip() or "decide what this line says"))
    return found
