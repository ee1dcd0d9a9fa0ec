"""Exports of a published copy, read back by other libraries than the one that wrote them."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.__main__ import app
from regulars.errors import ConfigError, EngineError
from regulars.exports import Export, export
from regulars.settings import Settings

TABLES = """
create schema marts; create schema segments; create schema ops;
create table marts.odd as select * from (values
    (1::bigint, 12.50::decimal(18, 2), 123456789012345678901.123456::decimal(28, 6), 0.1::double, true,
     date '2026-01-05', timestamp '2026-01-05 10:11:12.123456', '=1+1', 7::hugeint),
    (2, -3.25, -0.000001, -1.5, false, date '1999-12-31', timestamp '1999-12-31 23:59:59', e'two\nlines, "quoted"', -7),
    (3, null, null, null, null, null, null, '', null),
    (4, 0, 0, 0, null, null, null, null, 0)
) as t(id, amount, wide, score, is_new, day, seen_at, note, total);
create table marts.empty_one (id bigint, amount decimal(18, 2));
create table segments.membership (segment varchar, user_id varchar, entered_on date, left_on date);
insert into segments.membership values ('fans', 'u1', date '2026-01-05', null);
create view segments.fans as select user_id, entered_on from segments.membership;
create view marts.broken as select cast(note as integer) as id from marts.odd;
create table ops.runs as select 'r1' as run_id;
"""
ROW = (
    1, Decimal("12.50"), Decimal("123456789012345678901.123456"), 0.1, True, date(2026, 1, 5),
    datetime(2026, 1, 5, 10, 11, 12, 123456), "=1+1", Decimal(7),
)  # fmt: skip


@pytest.fixture
def published(settings: Settings) -> Settings:
    settings.published_path.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.published_path)) as connection:
        connection.execute(TABLES)
    return settings


def names(done: Export) -> set[str]:
    return {file.name for file in done.files}


def test_parquet_is_typed_and_said_in_the_manifest(published: Settings, tmp_path: Path) -> None:
    done = export(published, ["all"], str(tmp_path / "out"))
    assert names(done) == {"marts.odd.parquet", "marts.empty_one.parquet", "segments.membership.parquet"}, "tables only"
    found = pq.read_table(tmp_path / "out" / "marts.odd.parquet")
    assert [str(kind) for kind in found.schema.types] == [
        "int64", "decimal128(18, 2)", "decimal128(28, 6)", "double", "bool", "date32[day]", "timestamp[us]", "string",
        "decimal128(38, 0)",
    ]  # fmt: skip
    assert tuple(found.to_pylist()[0].values()) == ROW
    assert pq.read_table(tmp_path / "out" / "marts.empty_one.parquet").num_rows == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest == json.loads(done.model_dump_json())
    for file in manifest["files"]:
        content = (tmp_path / "out" / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert {path.name for path in (tmp_path / "out").iterdir()} == names(done) | {"manifest.json"}, "no drafts"


def test_csv_runs_no_formula(published: Settings, tmp_path: Path) -> None:
    done = export(published, ["odd"], str(tmp_path / "out"), "csv")
    assert [(file.rows, file.cells_neutralised) for file in done.files] == [(4, 1)]
    with (tmp_path / "out" / "marts.odd.csv").open(newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == ["id", "amount", "wide", "score", "is_new", "day", "seen_at", "note", "total"]
    assert rows[0] == [
        "1", "12.50", "123456789012345678901.123456", "0.1", "true", "2026-01-05", "2026-01-05 10:11:12.123456", "'=1+1", "7",
    ]  # fmt: skip
    assert rows[1][1] == "-3.25" and rows[1][7] == 'two\nlines, "quoted"'


def test_an_extract_is_read_back_with_its_types(published: Settings, tmp_path: Path) -> None:
    from tableauhyperapi import Connection, HyperProcess, TableName, Telemetry

    done = export(published, ["marts.odd", "segments.fans", "empty_one"], str(tmp_path / "out"), "hyper")
    assert names(done) == {"marts.odd.hyper", "segments.fans.hyper", "marts.empty_one.hyper"}
    place, found, types = TableName("Extract", "Extract"), {}, {}
    with HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": ""}) as process:
        for file in done.files:
            with Connection(process.endpoint, str(tmp_path / "out" / file.name)) as connection:
                definition = connection.catalog.get_table_definition(place)
                types[file.relation] = [str(column.type) for column in definition.columns]
                found[file.relation] = connection.execute_list_query(f"select * from {place} order by 1")
    assert types["marts.odd"] == [
        "BIG_INT", "NUMERIC(18, 2)", "NUMERIC(28, 6)", "DOUBLE", "BOOL", "DATE", "TIMESTAMP", "TEXT", "NUMERIC(38, 0)",
    ]  # fmt: skip
    first = found["marts.odd"][0]
    assert tuple(first[:5]) == ROW[:5] and first[5].to_date() == ROW[5] and first[6].to_datetime() == ROW[6]
    assert first[7:] == ["=1+1", Decimal(7)]
    assert found["marts.odd"][2] == [3, None, None, None, None, None, None, "", None]
    assert len(found["segments.fans"]) == 1 and found["marts.empty_one"] == []
    assert not list(Path.cwd().glob("hyperd*.log"))


def test_an_export_that_fails_leaves_the_folder_as_it_was(published: Settings, tmp_path: Path) -> None:
    export(published, ["odd"], str(tmp_path / "out"))
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(EngineError) as failed:
        export(published, ["membership", "broken"], str(tmp_path / "out"))
    assert "=1+1" not in str(failed.value), "values are not repeated"
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_it_says_what_may_be_exported(published: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nonsense is not published\n.*marts.odd"):
        export(published, ["nonsense"], str(tmp_path))
    with pytest.raises(ConfigError, match="xls is no format"):
        export(published, ["odd"], str(tmp_path), "xls")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="nothing is published yet"):
        export(published.model_copy(update={"home": tmp_path / "none"}), ["all"], str(tmp_path))
    assert export(published, ["ops.runs", "runs"], str(tmp_path / "out")).files[0].rows == 1


def test_the_command_prints_what_it_wrote(published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(published.home))
    arguments = ["export", "odd", "membership", "--to", str(tmp_path / "out"), "--format", "csv"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "marts.odd.csv" in done.output and "segments.membership.csv" in done.output
    listed = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert [file["rows"] for file in listed["files"]] == [4, 1]
