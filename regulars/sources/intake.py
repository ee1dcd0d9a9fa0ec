"""Taking a source file in: from whatever lies there to a plain local file under a name of ours.

The engine expands `*?[` in paths, guesses compression from endings and reads a gzip file that was cut as if it had
ended there. So it never sees a source's own name or its compressed bytes: it gets a link in the spool where the file
can be read as it is, and otherwise a copy that was unpacked, checked and turned into UTF-8.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from regulars.errors import ContractError
from regulars.sources.base import Request
from regulars.sources.options import ReadOptions
from regulars.sources.places import SourceFile, fetch

CHUNK = 8 << 20
GZIP = b"\x1f\x8b"
UTF8 = {"utf-8", "ascii", "utf-8-sig"}
TEXT_KINDS = {"csv", "json", "ndjson"}
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SNIFFED = 4096  # bytes in which a wrong encoding is looked for
NUL_SHARE = 0.2  # text has next to no NUL bytes; UTF-16 of western text has a half
UNPACKED_UNASKED = 256 << 20  # a file that unpacks to less is no bomb, whatever its ratio


def take_in(request: Request, file: SourceFile, kind: str, spool: Path) -> Path:
    """A local file with the source's bytes: unpacked, and UTF-8 for kinds of text.

    Raises ContractError for a file that is cut, damaged, in another encoding or unpacks to far too much.
    """
    stem = spool / f"source-{len(list(spool.iterdir())):04d}"
    given = fetch(request, file, stem.with_suffix(".fetched"))
    with open(given, "rb") as stream:
        is_packed = file.name.lower().endswith(".gz") or stream.read(2) == GZIP
    is_text = kind in TEXT_KINDS
    recode = is_text and request.read.encoding not in UTF8
    target = stem.with_suffix(f".{kind}")
    if is_packed or recode:
        chunks = _unpacked(given, file.name, request.read) if is_packed else _plain(given)
        _write(_recoded(chunks, file.name, request.read.encoding) if recode else chunks, target)
    else:
        target.symlink_to(given.absolute())
    if is_text and not recode:
        _refuse_other_encodings(target, file.name)
    if kind in ("csv", "ndjson"):
        _refuse_long_end(target, file.name, request.read)
    return target


def _plain(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _unpacked(path: Path, name: str, read: ReadOptions) -> Iterator[bytes]:
    packed, unpacked = max(path.stat().st_size, 1), 0
    try:
        with gzip.open(path, "rb") as stream:
            while chunk := stream.read(CHUNK):
                unpacked += len(chunk)
                if unpacked > UNPACKED_UNASKED and unpacked > read.max_unpack_ratio * packed:
                    raise ContractError(
                        f"{name}: {packed} bytes unpack to more than {read.max_unpack_ratio} times as much; stopped "
                        f"after {unpacked} bytes",
                        remedy="if the file is meant to be so, raise read: {max_unpack_ratio: ...} of the table in "
                        "sources.yml (1032 allows everything that gzip can do)",
                    )
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ContractError(
            f"{name} is not a whole gzip file: {error}; nothing of it was landed",
            remedy="have it delivered again (it was cut or damaged on its way)",
        ) from None


def _recoded(chunks: Iterator[bytes], name: str, encoding: str) -> Iterator[bytes]:
    """UTF-8; a byte that the encoding does not know is carried over, so that its record is found and quarantined."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "surrogateescape")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")
    except UnicodeError as error:
        said = getattr(error, "reason", None) or str(error)
        raise ContractError(
            f"{name} is not {encoding} text: {said}",
            remedy="set read: {encoding: ...} of the table in sources.yml to the file's real encoding (utf-16-le or "
            "utf-16-be where there is no byte order mark), or have a cut file delivered again",
        ) from None


def _write(chunks: Iterator[bytes], target: Path) -> None:
    with open(target, "wb") as copy:
        for chunk in chunks:
            copy.write(chunk)


def _refuse_other_encodings(path: Path, name: str) -> None:
    with open(path, "rb") as stream:
        start = stream.read(SNIFFED)
    mark = next((encoding for bom, encoding in MARKS.items() if start.startswith(bom)), None)
    if mark is None and start.count(0) > NUL_SHARE * len(start):
        mark = "utf-16-le" if start[1::2].count(0) >= start[0::2].count(0) else "utf-16-be"
    if mark:
        raise ContractError(
            f"{name} is not utf-8 text; it looks like {mark}",
            remedy=f"set read: {{encoding: {mark}}} for the table in sources.yml",
        )


def _refuse_long_end(path: Path, name: str, read: ReadOptions) -> None:
    """The engine leaves out a last line that is longer than its buffer, and says nothing; any other it complains of."""
    size = path.stat().st_size
    if size <= read.max_line_bytes:
        return
    with open(path, "rb") as stream:
        stream.seek(max(size - read.max_line_bytes - 2, 0))
        end = stream.read().rstrip(b"\r\n")
    if len(end) >= read.max_line_bytes and b"\n" not in end and b"\r" not in end:
        raise ContractError(
            f"{name}: its last line is longer than read.max_line_bytes; nothing of it was landed",
            remedy="mend or resend the file, or raise read: {max_line_bytes: ...} of the table in sources.yml",
        )
