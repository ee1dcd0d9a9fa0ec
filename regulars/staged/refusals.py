"""What `via: stage` cannot do is refused before anything is read: with file, entry, field and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator

from regulars.errors import ConfigError
from regulars.sources.base import Request
from regulars.sources.places import full_path
from regulars.staged.expressions import parse_scalar
from regulars.staged.strptime import check_format

ENCODINGS = {  # Python's names and Snowflake's: docs.snowflake.com/en/sql-reference/sql/create-file-format, ENCODING
    "utf-8": "UTF8", "iso8859-1": "ISO88591", "iso8859-2": "ISO88592", "iso8859-5": "ISO88595", "iso8859-7": "ISO88597",
    "iso8859-9": "ISO88599", "iso8859-15": "ISO885915", "cp1250": "WINDOWS1250", "cp1251": "WINDOWS1251",
    "cp1252": "WINDOWS1252", "cp1254": "WINDOWS1254", "utf-16": "UTF16", "utf-16-be": "UTF16BE", "utf-16-le": "UTF16LE",
    "shift_jis": "SHIFTJIS", "gb18030": "GB18030", "big5": "BIG5", "koi8-r": "KOI8R",
}  # fmt: skip
# Options of read: that have no counterpart in a file format of Snowflake's.
ELSEWHERE = ("header", "names", "skip", "escape", "sheet", "max_line_bytes", "max_unpack_ratio")
ENTRY = ("table", "query", "files", "source_where", "cursor")
ORDINARY = "leave via out, so that a worker reads the files"


def check_possible(request: Request) -> None:
    """Raise ConfigError for the first thing that this way cannot do as the ordinary one does."""
    for place, problem, remedy in _problems(request):
        raise ConfigError(f"sources.yml: {place}: via: stage {problem}", remedy=remedy)
    entry = f"tables.{request.table}"
    check_format(f"{entry}.read.date_format", request.read.date_format, "Ymd")
    check_format(f"{entry}.read.timestamp_format", request.read.timestamp_format, "YmdHMSf")
    for column, text in request.source.columns.items():
        if text.strip() and not text.replace("_", "").replace(" ", "").isalnum():
            parse_scalar(text, f"{entry}.columns.{column}")
    if request.source.where:
        parse_scalar(request.source.where, f"{entry}.where")


def _problems(request: Request) -> Iterator[tuple[str, str, str]]:
    """(place in sources.yml, what is wrong, remedy)."""
    settings, source, read = request.settings, request.source, request.read
    entry = f"tables.{request.table}"
    if settings.warehouse != "snowflake":
        yield f"{entry}.via", "needs the warehouse snowflake", f"set REGULARS_WAREHOUSE=snowflake, or {ORDINARY}"
    if not settings.landing_root.startswith("s3://"):
        yield f"{entry}.via", "needs a landing on s3://", f"set REGULARS_LANDING_URL to one, or {ORDINARY}"
    if settings.snowflake.storage_integration is None:
        yield (
            f"{entry}.via",
            "needs a storage integration",
            "set REGULARS_SNOWFLAKE__STORAGE_INTEGRATION to one that covers the landing and the files",
        )
    if settings.s3.encryption is not None:
        yield (
            f"{entry}.via",
            "writes the landing by the stage, which asks for no encryption of its own (REGULARS_S3__ENCRYPTION)",
            f"let the bucket encrypt by default and take the setting out, or {ORDINARY}",
        )
    if request.connection.kind != "files":
        yield f"{entry}.from", "reads connections of kind files only", ORDINARY
    for field in ENTRY:
        if getattr(source, field):
            yield f"{entry}.{field}", "reads the files of a path only", f"give path instead, or {ORDINARY}"
    if source.path is None:
        yield f"{entry}.path", "needs it", 'add path: "clicks/{as_of}/*.csv.gz"'
    elif not full_path(request, source.path)[1].startswith("s3://"):
        yield f"{entry}.path", "reads files on s3:// only", ORDINARY
    elif "**" in source.path:
        yield f"{entry}.path", "reads the files of one level of folders", "name the folders with * for each level"
    if request.connection.options:
        names = ", ".join(sorted(request.connection.options))
        yield (
            f"connections.{source.connection}.options",
            f"goes by the storage integration, which knows nothing of {names}",
            "take them out, or use another connection",
        )
    for field in ELSEWHERE:
        if field in read.model_fields_set:
            yield f"{entry}.read.{field}", "has no counterpart for it in Snowflake", ORDINARY
    if read.encoding not in ENCODINGS:
        yield f"{entry}.read.encoding", f"cannot read {read.encoding}", f"one of: {', '.join(ENCODINGS)}; or {ORDINARY}"
    if read.quote not in ('"', "'", ""):
        yield f"{entry}.read.quote", "knows double and single quotes, or none", ORDINARY
    if read.timezone not in (None, "UTC"):
        yield (
            f"{entry}.read.timezone",
            "does not say how Snowflake takes hours that a clock change skips or repeats",
            "give the column as an expression: convert_timezone('Europe/Berlin', 'UTC', try_to_timestamp_ntz(...))",
        )
    keyed = [column.name for column in request.contract.columns if column.pseudonym]
    if keyed:
        yield (
            entry,
            f"cannot land {', '.join(keyed)}: their pseudonyms are keyed, and the key must not be in SQL text",
            ORDINARY,
        )
    for column in request.contract.columns:
        if column.enum and column.data_type in ("double", "timestamp"):
            yield entry, f"cannot compare {column.name}, a {column.data_type}, with an enum", ORDINARY


def format_of_all(request: Request, names: list[str]) -> str:
    """`csv` or `ndjson`. Raises ConfigError for files of other formats, or of several."""
    kinds = {request.read.format_of(name): name for name in names}
    entry = f"sources.yml: tables.{request.table}"
    for kind, name in kinds.items():
        if kind not in ("csv", "ndjson"):
            raise ConfigError(
                f"{entry}.path: via: stage reads CSV and lines of JSON, and {name} is {kind}",
                remedy=f"add read: {{format: ndjson}} where every line is an object, or {ORDINARY}",
            )
    if len(kinds) > 1:
        raise ConfigError(
            f"{entry}.path: via: stage reads files of one format, not {' and '.join(sorted(kinds))}",
            remedy="make two tables of it, or narrow the pattern",
        )
    (kind,) = kinds
    if kind == "csv" and request.read.null_values and request.read.quote:
        raise ConfigError(
            f"{entry}.read.null_values: via: stage cannot tell a quoted text from the same one without quotes",
            remedy=f"add quote: \"\" where the files quote nothing, give nullif(column, '...') under columns, or {ORDINARY}",
        )
    return kind
