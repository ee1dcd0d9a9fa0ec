"""Files of an external stage, as Snowflake lists, reads, validates and writes them, over an S3 server of the test.

fakesnow knows stages that it keeps by itself. What is assumed here of Snowflake, and was not seen there: METADATA$FILENAME and
VALIDATE give the key without the bucket, LIST the whole address; records are counted from 1 after the header; the columns of
INCLUDE_METADATA do not count where the number of fields is compared.
"""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import snowflake.connector.errors
from sqlglot import exp

from regulars.warehouse.snowflake_text import quote

s3: Any = None  # client of the bucket, which a test sets
stages: dict[str, str] = {}
formats: dict[str, dict[str, str]] = {}
refused: dict[int, list[tuple[str, int, str, str]]] = {}  # of the last COPY of a session

LITERAL = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
STAGE = re.compile(r"create or replace temporary stage (\S+) url = (.*) storage_integration = \w+", re.DOTALL)
FORMAT = re.compile(r"create or replace temporary file format (\S+) type = CSV (.*)", re.DOTALL)
LIST = re.compile(r"list @(\S+)")
INFER = re.compile(r"select column_name, filenames from table\(infer_schema\((.*)\)\) order by order_id", re.DOTALL)
COPY = re.compile(
    r"copy into (?P<table>raw\.\"[^\"]+\") from (?P<source>@(?P<stage>\S+)|\(select .* from @(?P<lines>\S+)\)) FILES = "
    r"\((?P<files>.*)\) FILE_FORMAT = \(FORMAT_NAME = '(?P<format>\S+)'\) .*",
    re.DOTALL,
)
VALIDATE = re.compile(r"table\(validate\(\S+, job_id => '_last'\)\)")
UNLOAD = re.compile(
    r"copy into '@(?P<stage>\w+\.\w+)/(?P<path>[^']*)' from \((?P<query>.*)\) FILE_FORMAT = \(TYPE = PARQUET\) HEADER = TRUE .*",
    re.DOTALL,
)
MISMATCH = (
    "Number of columns in file ({}) does not match that of the corresponding table ({}), use file format option "
    "error_on_column_count_mismatch=false to ignore this error"
)
WIDEST = 2  # rows of a file that is written: a real one holds 250 MB


def answer(cursor: Any, text: str, execute: Any) -> str | None:
    """A statement for the emulator whose result is Snowflake's; None for what is no matter of stages."""
    if found := STAGE.fullmatch(text):
        stages[key(cursor, found[1])] = literals(found[2])[0]
        return "select 'created' as status"
    if found := FORMAT.fullmatch(text):
        options = re.findall(r"(\w+) = ('(?:[^'\\]|''|\\.)*'|\S+)", found[2])
        formats[key(cursor, found[1])] = {
            name: literals(value)[0] if value[:1] == "'" else value for name, value in options
        }
        return "select 'created' as status"
    if (found := LIST.fullmatch(text)) and key(cursor, found[1]) in stages:
        return rows_as_sql(["name", "size", "md5", "last_modified"], listed(stages[key(cursor, found[1])]))
    if found := INFER.fullmatch(text):
        place, form, *files = literals(found[1])
        return rows_as_sql(["column_name", "filenames"], inferred(cursor, place[1:], form, files))
    if (found := COPY.fullmatch(text)) and key(cursor, found["stage"] or found["lines"]) in stages:
        return copied(cursor, found)
    if found := VALIDATE.search(text):
        rows = refused.get(id(cursor._conn), [])
        given = rows_as_sql(["file", "row_number", "error", "rejected_record"], rows)
        return text.replace(found[0], f"({given})")
    if found := UNLOAD.fullmatch(text):
        return unloaded(cursor, found, execute)
    return None


def key(cursor: Any, name: str) -> str:
    return f"{cursor._conn.database}.{name}".lower()


def literals(text: str) -> list[str]:
    return [re.sub(r"''|\\(.)", lambda at: at[1] or "'", found, flags=re.DOTALL) for found in LITERAL.findall(text)]


def rows_as_sql(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    def cell(value: Any) -> str:
        return "null" if value is None else quote(value) if isinstance(value, str) else str(value)

    if not rows:
        return f"select {', '.join(f'null as {name}' for name in names)} where 1 = 0"
    return " union all ".join(
        f"select {', '.join(f'{cell(value)} as {name}' for name, value in zip(names, row, strict=True))}"
        for row in rows
    )


def split(url: str) -> tuple[str, str]:
    bucket, _, path = url.removeprefix("s3://").partition("/")
    return bucket, path


def listed(url: str) -> list[tuple[Any, ...]]:
    bucket, prefix = split(url)
    found = [
        item
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for item in page.get("Contents", [])
    ]
    return [
        (f"s3://{bucket}/{item['Key']}", item["Size"], item["ETag"].strip('"'), str(item["LastModified"]))
        for item in found
    ]


def body(url: str, file: str) -> tuple[str, bytes]:
    bucket, prefix = split(url)
    data = s3.get_object(Bucket=bucket, Key=prefix + file)["Body"].read()
    return prefix + file, gzip.decompress(data) if file.endswith(".gz") else data


def text_of(data: bytes, form: dict[str, str]) -> str:
    encoding = {"UTF8": "utf-8", "ISO88591": "latin-1", "WINDOWS1252": "cp1252", "UTF16": "utf-16"}[form["encoding"]]
    return data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict").removeprefix("\ufeff")


def records(text: str, form: dict[str, str]) -> Iterator[tuple[list[str | None] | None, str]]:
    """Fields and raw text of each record, blank lines left out; no fields where its quotes contradict each other."""
    comma, mark = form["field_delimiter"], form["field_optionally_enclosed_by"]
    at = 0
    while at < len(text):
        start, fields, good = at, list[str | None](), True
        while True:
            if mark != "NONE" and text.startswith(mark, at):
                value, at = "", at + 1
                while at < len(text) and not (text[at] == mark and not text.startswith(mark * 2, at)):
                    at += 1 + text.startswith(mark * 2, at)
                    value += text[at - 1]
                good, at = good and at < len(text), at + 1
                fields.append(value)
                good = good and (at >= len(text) or text[at] in "\r\n" or text.startswith(comma, at))
            else:
                end = next(
                    (n for n in range(at, len(text)) if text[n] in "\r\n" or text.startswith(comma, n)), len(text)
                )
                fields.append(text[at:end] or None)
                at = end
            if good and text.startswith(comma, at):
                at += len(comma)
                continue
            break
        while not good and at < len(text) and text[at] not in "\r\n":
            at += 1
        raw = text[start:at]
        at += 2 if text.startswith("\r\n", at) else 1
        if raw:
            yield (fields if good else None), raw


def inferred(cursor: Any, place: str, form: str, files: list[str]) -> list[tuple[Any, ...]]:
    where: dict[str, list[str]] = {}
    for file in files:
        _, data = body(stages[key(cursor, place)], file)
        options = formats[key(cursor, form)]
        fields, _ = next(records(text_of(data, options), options), ([], ""))
        names = [str(name) for name in fields or []]
        if len(set(names)) < len(names):
            raise snowflake.connector.errors.ProgrammingError(
                msg="Duplicate column names in the header", errno=100131, sqlstate="22000"
            )
        for name in names:
            where.setdefault(name, []).append(file)
    return [(name, ", ".join(found)) for name, found in where.items()]


def copied(cursor: Any, found: re.Match[str]) -> str:
    form = formats[key(cursor, found["format"])]
    url = stages[key(cursor, found["stage"] or found["lines"])]
    refused[id(cursor._conn)] = broken = []
    said, rows = [], []
    names: list[str] = []
    for file in literals(found["files"]):
        path, data = body(url, file)
        before = len(rows), len(broken)
        if found["lines"]:
            lines = re.split(r"\r\n|\n|\r", text_of(data, form))
            lines = lines[:-1] if lines[-1] == "" else lines
            names = ["_regulars_line"]
            rows += [(line or None, path, number) for number, line in enumerate(lines, start=1)]
        else:
            every = records(text_of(data, form), form)
            names = [str(name) for name in next(every)[0] or []]
            for number, (fields, raw) in enumerate(every, start=1):
                shown = raw.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                if shown != raw:
                    broken.append((path, number, "Invalid UTF8 detected in string", shown))
                elif fields is None:
                    broken.append((path, number, "Found character 'x' instead of field delimiter ','", raw))
                elif len(fields) != len(names):
                    broken.append((path, number, MISMATCH.format(len(fields), len(names)), raw))
                else:
                    rows.append((*fields, path, number))
        loaded, bad = len(rows) - before[0], len(broken) - before[1]
        said.append((url + file, "PARTIALLY_LOADED" if bad else "LOADED", loaded + bad, loaded))
    columns = [*names, "_regulars_file", "_regulars_record"]
    if rows:
        table = pa.table({f"c{n}": pa.array(cells) for n, cells in enumerate(zip(*rows, strict=True))})
        listed_columns = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        place = f"{cursor._conn.database}.{found['table']}"
        cursor._duck_conn.register("staged_rows", table)
        cursor._duck_conn.execute(f"insert into {place} ({listed_columns}) select * from staged_rows")
        cursor._duck_conn.unregister("staged_rows")
    return rows_as_sql(["file", "status", "rows_parsed", "rows_loaded"], said)


def unloaded(cursor: Any, found: re.Match[str], execute: Any) -> str:
    """COPY INTO @stage in several files; the stage is the landing's, which the emulator keeps among its own."""
    from emulator import STAGES

    schema, name = found["stage"].upper().split(".")
    ((url,),) = cursor._duck_conn.execute(
        f"select url from {STAGES} where database_name = ? and schema_name = ? and name = ?",
        [cursor._conn.database, schema, name],
    ).fetchall()
    execute(cursor, f"create or replace table raw._unloaded as {found['query']}", server=True)
    bucket, prefix = split(url)
    ((count,),) = cursor._duck_conn.execute(f"select count(*) from {cursor._conn.database}.raw._unloaded").fetchall()
    written = []
    with tempfile.TemporaryDirectory() as folder:
        for number, start in enumerate(range(0, count, max(WIDEST, count // 3 + 1))):
            size = max(WIDEST, count // 3 + 1)
            target = Path(folder) / "part.parquet"
            cursor._duck_conn.execute(
                f"copy (select * from {cursor._conn.database}.raw._unloaded limit {size} offset {start}) to '{target}' (format parquet)"
            )
            file = f"{found['path']}_0_{number}_0.snappy.parquet"
            s3.upload_file(str(target), bucket, prefix + file)
            written.append((file, target.stat().st_size, min(size, count - start)))
    cursor._duck_conn.execute(f"drop table {cursor._conn.database}.raw._unloaded")
    return rows_as_sql(["file_name", "file_size", "row_count"], written)


def mend(tree: exp.Expression) -> None:
    """Functions that fakesnow reads in another way than Snowflake."""
    for trim in tree.find_all(exp.Trim):  # it casts what it trims, and forgets which letters
        if trim.expression:
            trim.set("this", exp.cast(trim.this, "varchar"))
    # GET without a cast is only asked whether it is there.
    for found in list(tree.find_all(exp.GetExtract)):  # it knows paths, but not GET, nor that a text in JSON is text
        pointer = exp.Literal.string("/" + found.expression.name.replace("~", "~0").replace("/", "~1"))
        is_text = isinstance(found.parent, exp.Cast) and found.parent.to.this == exp.DataType.Type.VARCHAR
        name = "json_extract_string" if is_text else "json_type"
        found.replace(exp.Anonymous(this=name, expressions=[found.this, pointer]))
    for found in list(tree.find_all(exp.StrToTime)):  # it reads what is inside twice, and counts matches from 2 then
        if found.args.get("safe") and found.args["format"].name == "%Y-%m-%d %H:%M:%S.%f":
            found.replace(exp.TryCast(this=found.this, to=exp.DataType.build("datetime"), requires_string=True))
