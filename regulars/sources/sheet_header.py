"""Where the table of a sheet begins: the row that holds the names of its columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

Row = tuple[int, list[str | None]]  # the sheet's own row number, from 1, and its cells, from column A on

TOP_ROWS = 100  # filled rows among which the header is looked for


def find_header(top: Sequence[Row], wanted: Collection[str]) -> Row | None:
    """The header among the first filled rows; None where there is no filled row.

    `wanted` are the names asked for. The row that has most of them is the header, if it has at least half of them and two
    (or all, where fewer are asked for). Otherwise names are no help, and it is the first row that has at least half as
    many filled cells as the fullest one: titles, dates of issue and the like have few.
    """
    asked = {name.casefold() for name in wanted}
    scores = [len(asked & {header_name(cell).casefold() for cell in cells if cell}) for _, cells in top]
    best = max(scores, default=0)
    if best and 2 * best >= len(asked) and best >= min(2, len(asked)):
        return top[scores.index(best)]
    filled = [sum(cell is not None for cell in cells) for _, cells in top]
    return next((row for row, count in zip(top, filled, strict=True) if 2 * count >= max(filled)), None)


def header_name(cell: str | None) -> str:
    """A cell of the header as a name: line breaks and repeated spaces in it are one space; NUL is one to the engine's SQL."""
    return " ".join((cell or "").replace("\0", " ").split())
