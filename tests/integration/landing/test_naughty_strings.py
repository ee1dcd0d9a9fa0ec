"""The Big List of Naughty Strings as values, column names, file names and sheet names: unchanged in raw."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.contracts import Column
from regulars.landing import land
from regulars.postgres.server import start_server, stop_server
from regulars.sources.config import Connection
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.real_data
NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|_x[0-9A-Fa-f]{4}_")


@pytest.fixture(scope="session")
def naughty(datasets: Path) -> list[str]:
    return list(json.loads((datasets / "naughty_strings" / "blns.json").read_text()))


def _contract(place):
    columns = (
        Column(name="id", data_type="bigint", description="key"),
        Column(name="note", data_type="varchar", description="text"),
    )
    return place.contract(columns=columns, key=("id",), on_drift="evolve")


def _raw(place, manifest) -> list[tuple[int, str | None]]:
    """What the warehouse shows, which is what models read."""
    contract = _contract(place)
    with open_warehouse(place.settings) as warehouse:
        warehouse.prepare({"people": contract})
        warehouse.load(contract, [manifest], place.run(), datetime(2026, 2, 1))
        return warehouse.query("select id, note from raw.people order by id")


def _csv(rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("kind", ["csv", "json", "ndjson", "parquet", "xlsx", "postgres"])
def test_values_arrive_unchanged(place, workbook, naughty: list[str], tmp_path_factory, kind: str) -> None:
    values = [text for text in naughty if text and (kind != "xlsx" or not NOT_IN_XML.search(text))]
    records = [{"id": number, "note": text} for number, text in enumerate(values)]
    assert len(records) > 480
    path = place.folder / f"people.{kind}"
    if kind == "csv":
        place.write(path.name, _csv([["id", "note"], *([row["id"], row["note"]] for row in records)]))
    elif kind == "json":
        place.write(path.name, json.dumps(records))
    elif kind == "ndjson":
        place.write(path.name, "\n".join(json.dumps(row, ensure_ascii=False) for row in records))
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    elif kind == "xlsx":
        workbook(path, [["id", "note"], *([row["id"], row["note"]] for row in records)])
    if kind == "postgres":
        home = tmp_path_factory.mktemp("home")
        url = start_server(home).uri()
        try:
            with psycopg.connect(url, autocommit=True) as session, session.cursor() as cursor:
                cursor.execute("create table people (id int, note text)")
                cursor.executemany("insert into people values (%(id)s, %(note)s)", records)
            sources = place.sources(Connection(kind="postgres", url=url), table="people")
            manifest = land(_contract(place), sources, place.settings, place.run()).manifest
        finally:
            stop_server(home)
    else:
        manifest = place.land(_contract(place), path=path.name).manifest
    assert manifest.rows_quarantined == 0
    assert _raw(place, manifest) == [(row["id"], row["note"]) for row in records]


def test_rejected_values_keep_their_raw_form(place, naughty: list[str]) -> None:
    values = [text for text in naughty if text.strip() and not re.fullmatch(r"\s*[+-]?\d+(\.0*)?\s*", text)]
    place.write("people.csv", _csv([["id", "note"], *([text, text] for text in values)]))
    manifest = place.land(_contract(place)).manifest
    raws = [json.loads(raw) for _, raw in place.rejects(manifest, "record_number, raw")]
    assert raws == [{"id": text, "note": text} for text in values]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_as_column_names(place, naughty: list[str], kind: str) -> None:
    names: dict[str, str] = {}
    for text in naughty:
        if text.strip() and "\0" not in text and text.strip().lower() not in ("id", "note"):
            names.setdefault(text.strip().lower(), text.strip())
    row = {"id": 1, **{name: f"v{n}" for n, name in enumerate(names.values())}, "note": "x"}
    place.write(f"people.{kind}", _csv([list(row), list(row.values())]) if kind == "csv" else json.dumps(row))
    manifest = place.land(_contract(place), path=f"people.{kind}").manifest
    assert place.rows(manifest, "id, note") == [(1, "x", 1)]
    last = list(names.values())[-1]
    mapped = place.land(_contract(place), path=f"people.{kind}", columns={"note": last}, refresh=True).manifest
    assert place.rows(mapped, "note") == [(row[last], 1)]


def test_as_file_and_sheet_names(place, workbook, naughty: list[str]) -> None:
    fit = [text for text in naughty if text.strip() and not set("/\0") & set(text) and len(text.encode()) < 240]
    names = sorted({f"{text}.csv" for text in fit[::6] if not text.startswith(".")})
    for number, name in enumerate(names):
        place.write(f"in/{name}", f"id,note\n{number},x\n")
    manifest = place.land(_contract(place), path="in/*.csv").manifest
    assert [part.source for part in manifest.parts] == [f"in/{name}" for name in names]
    assert [row[0] for row in place.rows(manifest)] == list(range(len(names)))
    sheet = "'; drop table people; --"
    workbook(place.folder / "people.xlsx", [["id", "note"], [1, "x"]], sheet)
    read = {"sheet": sheet}
    assert place.rows(place.land(_contract(place), path="people.xlsx", read=read, refresh=True).manifest) == [(1, 1)]
