"""Physical lines of a text file: counting them, and making all of them end alike."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable
from pathlib import Path

CHUNK = 8 << 20
ONE_LETTER = bytes(byte if byte == 10 else ord("x") for byte in range(256))  # a line end, or anything else
BLANK = re.compile(rb"(?<=\n)\r?\n|(?<=\r)\r(?!\n)")  # a line end right behind another


def count_lines(path: Path, skip: int, *, with_blank: bool) -> int:
    """Physical lines after the first `skip`, with or without blank ones. Any of LF, CRLF and CR ends a line."""
    count, before = 0, b"\n"
    with open(path, "rb") as file:
        for _ in range(skip):
            file.readline()
        for chunk in iter(lambda: file.read(CHUNK), b""):
            lines = before[-1:] + chunk.replace(b"\r", b"\n") if not with_blank else chunk
            if with_blank:
                ends = before[-1:] + lines
                count += lines.count(b"\n") + lines.count(b"\r") - ends.count(b"\r\n")
            else:
                count += lines.translate(ONE_LETTER).count(b"\nx")
            before = chunk if with_blank else lines
    return count + (1 if with_blank and before[-1:] not in (b"\n", b"\r") else 0)


def copy_with_one_line_end(path: Path, target: Path) -> None:
    """A copy in which LF ends every line."""
    with open(path, "rb") as source, open(target, "wb") as copy:
        held = b""
        for chunk in iter(lambda: source.read(CHUNK), b""):
            data = held + chunk
            held = data[-1:] if data.endswith(b"\r") else b""
            copy.write(data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        copy.write(held.replace(b"\r", b"\n"))


def blank_lines_before(path: Path, positions: Iterable[int], *, skip: int, quote: str, escape: str | None) -> list[int]:
    """Blank lines between records, after the first `skip` lines and before each of the ascending byte `positions`.

    Each position is where a broken record begins, so what lies between two of them is well-formed, and a line end is inside a
    field where the quotes before it are odd in number.
    """
    if path.stat().st_size == 0:
        return [0 for _ in positions]
    mark, escaped = quote.encode(), ((escape or "") + quote).encode() if escape not in (None, "", quote) else b""
    counts, found = [], 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for _ in range(skip):
            data.readline()
        start = data.tell()
        for position in positions:
            while data[position : position + 1] in (b"\n", b"\r"):
                position += 1
            quotes = 0
            for blank in BLANK.finditer(data, start, position):
                between = data[start : blank.start()]
                quotes += (between.count(mark) if mark else 0) - (between.count(escaped) if escaped else 0)
                found += quotes % 2 == 0
                start = blank.start()
            counts.append(found)
            data.seek(position)
            data.readline()
            start = max(data.tell() - 1, position)  # its line end, so that a blank line behind it is seen
    return counts
