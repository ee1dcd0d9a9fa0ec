"""Quoted empty cells and blank rows in the bytes of a CSV file, found while they pass by.

COPY can be told to make nothing of the former and to leave out the latter. It then compares every cell and looks at every
row, which takes it some 5 % longer for what hardly any file has. This looks while the server is at work: it never misses
one, and may take escaped quotes, or an empty line inside of a cell, for one.
"""

from __future__ import annotations

import re

LONG = 10_000  # bytes: of a longer row without an end nothing is kept, it may be blank


class EmptyCells:
    """Say `look` of each piece of a file in its order. Rows end in a line feed, with or without a return before it.

    `may_be_quoted`: a cell may be quoted and empty; `may_be_blank`: a row may have no filled cell.
    """

    def __init__(self, delimiter: str, quote: str) -> None:
        empty = re.escape((delimiter + quote).encode()) + b"\r"
        self._row, self._start = re.compile(rb"\n[%b]*\n" % empty), re.compile(rb"\n[%b]*" % empty)
        self._quotes = 2 * quote.encode()
        self._last = b"\n"  # the last row so far if it is empty until now, else its last byte
        self._has_blank = False
        self.may_be_quoted = False

    def look(self, piece: bytes) -> None:
        """Look at the next piece: thousands of bytes rather than a row."""
        text = self._last + piece
        last = text[text.rfind(b"\n") :]
        self._last = last if len(last) <= LONG and self._start.fullmatch(last) else text[-1:]
        self.may_be_quoted = self.may_be_quoted or self._quotes in text
        self._has_blank = self._has_blank or len(last) > LONG or self._row.search(text) is not None

    @property
    def may_be_blank(self) -> bool:
        """Of all rows that were looked at; the last one needs no end."""
        return self._has_blank or len(self._last) > 1
