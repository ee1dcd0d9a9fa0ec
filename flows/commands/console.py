"""What the command line prints: steps as they end, and tables."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from regulars.step_log import logger

# Where nobody looks, lines are long enough for a program to read them.
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)


@contextmanager
def show_steps(*, quiet: bool = False) -> Iterator[None]:
    """Print one line per finished step of the runs in the body."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    level, logger.propagate = logger.level, False  # Prefect would print the lines once more
    if not quiet:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = True


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for people; numbers to the right."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    numeric = [
        bool(rows) and all(isinstance(row[i], int | float) or row[i] is None for row in rows)
        for i in range(len(columns))
    ]
    for name, is_number in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if is_number else "left")
    for row in rows:
        table.add_row(
            *(
                f"{value:,}"
                if isinstance(value, int) and not isinstance(value, bool)
                else str(value if value is not None else "")
                for value in row
            )
        )
    console.print(table)
    console.print()
