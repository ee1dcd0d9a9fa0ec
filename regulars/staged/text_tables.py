"""Files of a stage as all-text tables: what was read, with file and record number, and what could not be taken apart.

CSV comes by a plain COPY that matches columns by the files' headers, because VALIDATE, which tells every record that was
refused, knows no other. Lines of JSON come by a COPY that takes each as one text: such a line is always taken in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from regulars.engine import identifier
from regulars.errors import ContractError, EngineError
from regulars.sources.base import Piece, Request
from regulars.sources.csv_files import check_width, delimiter_of
from regulars.sources.json_files import column_keys
from regulars.staged.listing import Session, StagedFile, StagePlace
from regulars.staged.refusals import ENCODINGS
from regulars.warehouse.snowflake_text import quote

FILE, RECORD, LINE, OBJECT = "_regulars_file", "_regulars_record", "_regulars_line", "_regulars_object"
ENCODING = "case when startswith(error, 'Invalid UTF') then 'encoding' else 'malformed' end"
NOT_TEXT = "bytes that are not text in the file's encoding"
AT_ONCE = 1000  # names that one COPY takes


def scratch(table: str, what: str) -> str:
    """A table of ours beside raw's: no contract's name has a dollar sign."""
    return f'raw."_STAGE${table.upper()}${what.upper()}"'


@dataclass(frozen=True)
class TextTable:
    """Rows of files that have the same columns: a SELECT of them, and what the fitting of columns needs to know."""

    piece: Piece
    records: int  # taken in or refused
    line: str | None = None  # of a record that is one text: its column
    broken: str | None = None


def file_format(request: Request, kind: str, name: str) -> str:
    """CREATE FILE FORMAT for the session: every default that would change a text is put off."""
    read = request.read
    quoted = read.quote and kind == "csv"
    options = {
        "field_delimiter": quote(delimiter_of(read, name)) if kind == "csv" else "NONE",
        "field_optionally_enclosed_by": quote(read.quote) if quoted else "NONE",
        "parse_header": "TRUE" if kind == "csv" else "FALSE",
        "skip_blank_lines": "TRUE" if kind == "csv" else "FALSE",
        "escape": "NONE",
        "escape_unenclosed_field": "NONE",
        "null_if": "()",
        "empty_field_as_null": "TRUE",
        "trim_space": "FALSE",
        "error_on_column_count_mismatch": "TRUE",
        "replace_invalid_characters": "FALSE",
        "skip_byte_order_mark": "TRUE",
        "encoding": quote(ENCODINGS[read.encoding]),
        "compression": "AUTO",
    }
    listed = " ".join(f"{option} = {value}" for option, value in options.items())
    return f"create or replace temporary file format raw._format_{request.table} type = CSV {listed}"


def read_files(
    request: Request, place: StagePlace, files: list[StagedFile], kind: str, session: Session
) -> list[TextTable]:
    """Load the files; records that could not be taken apart are in the table `broken`.

    Raises ContractError where Snowflake's count of records is not that of rows and refused records.
    """
    session.execute(file_format(request, kind, files[0].name))
    broken = scratch(request.table, "broken")
    session.execute(
        f"create or replace transient table {broken} (file_name varchar, record bigint, rule varchar, reason varchar, raw varchar)"
    )
    if kind == "ndjson":
        return [_read_lines(request, place, files, session)]
    groups = headers(request, place, files, session)
    return [
        _read_csv(request, place, list(header), members, number, session)
        for number, (header, members) in enumerate(groups.items())
    ]


def headers(
    request: Request, place: StagePlace, files: list[StagedFile], session: Session
) -> dict[tuple[str, ...], list[StagedFile]]:
    """Files by their column names. All are asked at once; each by itself only where they are not alike."""
    groups: dict[tuple[str, ...], list[StagedFile]] = {}
    for some in _batched(files):
        found = _columns(request, place, some, session)
        alike = len({where for _, where in found}) == 1
        for file in some if not alike else ():
            header = tuple(name for name, _ in _columns(request, place, [file], session))
            groups.setdefault(header, []).append(file)
        if alike:
            groups.setdefault(tuple(name for name, _ in found), []).extend(some)
    for header, members in groups.items():
        if not header:
            raise ContractError(
                f"{members[0].name} is empty: not even a header",
                remedy="have it delivered again; a day without rows still needs the header line",
            )
        check_width(members[0].name, len(header), request.read)
    return groups


def _columns(request: Request, place: StagePlace, files: list[StagedFile], session: Session) -> list[tuple[str, str]]:
    """(name, in which files) of the columns of some files."""
    names = ", ".join(quote(file.key) for file in files)
    rows = session.query(
        f"select column_name, filenames from table(infer_schema(location => '@{place.stage}', "
        f"file_format => 'raw._format_{request.table}', files => ({names}), max_records_per_file => 1)) order by order_id"
    )
    return [(str(name), str(where)) for name, where in rows]


def _read_csv(
    request: Request, place: StagePlace, header: list[str], files: list[StagedFile], number: int, session: Session
) -> TextTable:
    table = scratch(request.table, f"text{number}")
    columns = "".join(f"{identifier(name)} varchar, " for name in header)
    session.execute(f"create or replace transient table {table} ({columns}{FILE} varchar, {RECORD} bigint)")
    reason = _reason(len(header), is_shown=not request.contract.personal_columns)
    parsed = 0
    for some in _batched(files):
        parsed += _copied(
            session,
            f"copy into {table} from @{place.stage} {files_clause(request, some)} MATCH_BY_COLUMN_NAME = CASE_SENSITIVE "
            f"INCLUDE_METADATA = ({FILE} = METADATA$FILENAME, {RECORD} = METADATA$FILE_ROW_NUMBER) "
            "ON_ERROR = CONTINUE FORCE = TRUE",
        )
        session.execute(
            f"insert into {scratch(request.table, 'broken')} select {place.named('file')}, row_number, "
            f"min({ENCODING}), min({reason}), min(rejected_record) from table(validate({table}, job_id => '_last')) "
            "group by file, row_number"
        )
    _check_count(request, table, files, parsed, session)
    listed = ", ".join(identifier(name) for name in header)
    relation = f"select {listed}, {place.named(FILE)} as {FILE}, {RECORD} from {table}"
    return TextTable(Piece(files[0].name, relation, tuple((name, "VARCHAR") for name in header)), parsed)


def _reason(width: int, *, is_shown: bool) -> str:
    """Of what VALIDATE says of a record, in our words where it is the number of fields; the rest may quote a value."""
    found = f"regexp_substr(error, {quote(r'file [(]([0-9]+)[)]')}, 1, 1, 'e', 1)"
    few = f"'too few fields: expected {width}, found ' || {found}"
    other = "left(error, 200)" if is_shown else quote("cannot be taken apart")
    much = f"'too many fields: expected {width}, found more'"
    return (
        f"case when startswith(error, 'Number of columns in file') then case when try_cast({found} as integer) < {width} "
        f"then {few} else {much} end when startswith(error, 'Invalid UTF') then {quote(NOT_TEXT)} else {other} end"
    )


def _read_lines(request: Request, place: StagePlace, files: list[StagedFile], session: Session) -> TextTable:
    table = scratch(request.table, "text0")
    session.execute(f"create or replace transient table {table} ({LINE} varchar, {FILE} varchar, {RECORD} bigint)")
    parsed = 0
    for some in _batched(files):
        parsed += _copied(
            session,
            f"copy into {table} from (select $1, metadata$filename, metadata$file_row_number from @{place.stage}) "
            f"{files_clause(request, some)} ON_ERROR = ABORT_STATEMENT FORCE = TRUE",
        )
    _check_count(request, table, files, parsed, session)
    space = quote(" \t\r\n")
    objects = (
        f"select {LINE}, {FILE}, {RECORD}, case when left(ltrim({LINE}, {space}), 1) = '{{' "
        f"then try_parse_json({LINE}) end as {OBJECT} from {table}"
    )
    keys = session.query(
        f"select distinct k.value::varchar from ({objects}) as o, lateral flatten(input => object_keys(o.{OBJECT})) as k"
    )
    check_width(files[0].name, len(keys), request.read, "different keys")
    wanted = [*request.source.columns.values(), *request.contract.by_name]
    columns = column_keys([str(key) for (key,) in keys], wanted) or {name: [name] for name in wanted}
    items = ", ".join(f"{_value(spellings)} as {identifier(name)}" for name, spellings in columns.items())
    relation = f"select {items}, {LINE}, {OBJECT}, {place.named(FILE)} as {FILE}, {RECORD} from ({objects})"
    piece = Piece(files[0].name, relation, tuple((name, "VARCHAR") for name in columns), absent_is_null=True)
    return TextTable(piece, parsed, LINE, f"case when {OBJECT} is null then 'not a JSON object'{_twice(columns)} end")


def _twice(columns: dict[str, list[str]]) -> str:
    """What is wrong with an object that has two spellings of a key, which are one column."""
    counts = [
        " + ".join(f"case when get({OBJECT}, {quote(key)}) is null then 0 else 1 end" for key in spellings)
        for spellings in columns.values()
        if len(spellings) > 1
    ]
    found = " or ".join(f"{count} > 1" for count in counts)
    return f" when {found} then 'a key stands there twice (case does not matter)'" if counts else ""


def _value(spellings: list[str]) -> str:
    found = [f"cast(get({OBJECT}, {quote(key)}) as varchar)" for key in spellings]
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def _batched(files: list[StagedFile]) -> list[list[StagedFile]]:
    return [files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE)]


def files_clause(request: Request, files: list[StagedFile]) -> str:
    """Which files a COPY reads, and how."""
    names = ", ".join(quote(file.key) for file in files)
    return f"FILES = ({names}) FILE_FORMAT = (FORMAT_NAME = 'raw._format_{request.table}')"


def _copied(session: Session, statement: str) -> int:
    """Records that COPY saw: its answer has a row for each file, with rows_parsed in the third place."""
    return sum(int(row[2]) for row in session.query(statement) if len(row) > 2)


def _check_count(request: Request, table: str, files: list[StagedFile], parsed: int, session: Session) -> None:
    names = ", ".join(quote(file.name) for file in files)
    ((rows, refused),) = session.query(
        f"select (select count(*) from {table}), "
        f"(select count(*) from {scratch(request.table, 'broken')} where file_name in ({names}))"
    )
    if parsed != rows + refused:
        raise EngineError(
            f"{files[0].name} and {len(files) - 1} more: Snowflake saw {parsed} records, {rows} were taken in and {refused} "
            "refused; nothing of them was landed",
            remedy=f"leave via out for {request.table}, so that a worker reads the files, and tell us",
        )
    if refused > 1 and not rows:
        raise ContractError(
            f"{files[0].name}: none of {refused} records has the fields of its header; nothing of it was landed",
            remedy="check delimiter and quote under read:, or leave via out, so that a worker reads the files",
        )


def scratch_tables(request: Request, session: Session) -> Iterator[str]:
    """Names of the tables that a landing of this table made, also one that was killed."""
    rows = session.query(
        "select table_name from information_schema.tables where table_schema = 'RAW' and startswith(table_name, ?)",
        [f"_STAGE${request.table.upper()}$"],
    )
    yield from (f'raw."{name}"' for (name,) in rows)
