"""Physical lines of a text file: counting them, and making all of them end alike."""

from __future__ import annotations

from pathlib import Path

CHUNK = 8 << 20
ONE_LETTER = bytes(byte if byte == 10 else ord("x") for byte in range(256))  # a line end, or anything else


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
