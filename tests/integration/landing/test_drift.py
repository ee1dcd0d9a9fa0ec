"""Every kind of drift under every `on_drift`, per kind of source: what lands, what is kept apart, what is refused.

The table OUTCOMES is the one in docs/contracts.md. Each kind and mode lives through all drifts in one place, one day
each, and must read whole days again afterwards.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.contracts import Column
from regulars.errors import ContractError
from regulars.landing import land
from regulars.manifest import day_manifests, landed_days
from regulars.postgres.server import start_server, stop_server
from regulars.quality.quarantine import replay
from regulars.sources.config import Connection
from regulars.storage import open_storage
from regulars.warehouse import open_warehouse

FIRST = date(2026, 1, 1)
ROWS = 12
ID, NAME = list(range(1, ROWS + 1)), [f"n{n}" for n in range(1, ROWS + 1)]
AMOUNT = [Decimal(n) / 4 for n in range(1, ROWS + 1)]
FINER = [Decimal("1.555") if n == 2 else value for n, value in enumerate(AMOUNT, start=1)]
EXTRA = ["x"] + [None] * (ROWS - 1)
Table = list[tuple[str, list[Any]]]

WHOLE: Table = [("id", ID), ("name", NAME), ("amount", AMOUNT)]
DRIFTS: dict[str, Table] = {
    "added": [*WHOLE, ("extra", EXTRA)],
    "removed": [("id", ID), ("amount", AMOUNT)],
    "renamed": [("id", ID), ("full_name", NAME), ("amount", AMOUNT)],
    "wider": [("id", ID), ("name", NAME), ("amount", FINER)],
    "narrower": [("id", ID), ("name", NAME), ("amount", ID)],
    "reordered": [("amount", AMOUNT), ("name", NAME), ("id", ID)],
    "other case": [("ID", ID), ("Name", NAME), ("AMOUNT", AMOUNT)],
    "duplicated": [*WHOLE, ("Name", EXTRA)],
    "empty header": [*WHOLE, ("", EXTRA)],
    "key removed": [("name", NAME), ("amount", AMOUNT)],
}

ALL = (ROWS, {})
REFUSED_NEW = "not in the contract: "
TWICE = "name more than once"
GONE = "had 12 values on"
EMPTY = "the snapshot has no rows"
# drift: {mode: (rows loaded, {rule: rows}) or words of the refusal or, after "blocked: ", of the guard}
OUTCOMES: dict[str, dict[str, Any]] = {
    "added": {"freeze": REFUSED_NEW, "evolve": ALL, "quarantine": (ROWS - 1, {"unknown_column": 1})},
    "removed": {"freeze": "missing: name", "evolve": f"blocked: {GONE}", "quarantine": f"blocked: {EMPTY}"},
    "renamed": {
        "freeze": "missing: name (nearest: full_name)",
        "evolve": f"blocked: {GONE}",
        "quarantine": f"blocked: {EMPTY}",
    },
    "wider": dict.fromkeys(("freeze", "evolve", "quarantine"), (ROWS - 1, {"type": 1})),
    "narrower": dict.fromkeys(("freeze", "evolve", "quarantine"), ALL),
    "reordered": dict.fromkeys(("freeze", "evolve", "quarantine"), ALL),
    "other case": dict.fromkeys(("freeze", "evolve", "quarantine"), ALL),
    "duplicated": dict.fromkeys(("freeze", "evolve", "quarantine"), TWICE),
    "empty header": {"freeze": REFUSED_NEW, "evolve": ALL, "quarantine": (ROWS - 1, {"unknown_column": 1})},
    "key removed": dict.fromkeys(("freeze", "evolve", "quarantine"), "missing: id"),
}
# JSON leaves keys out where there is nothing to say: what is absent is null, until a whole day lacks what it had.
EMPTIED = "blocked: name has no value, and had"
JSON_OUTCOMES = {
    **OUTCOMES,
    "removed": dict.fromkeys(("freeze", "evolve", "quarantine"), EMPTIED),
    "renamed": {"freeze": REFUSED_NEW, "evolve": EMPTIED, "quarantine": f"blocked: {EMPTY}"},
    "duplicated": dict.fromkeys(("freeze", "evolve", "quarantine"), (ROWS - 1, {"malformed": 1})),
    "key removed": dict.fromkeys(("freeze", "evolve", "quarantine"), f"blocked: {EMPTY}"),
}


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[name for name, _ in table], *zip(*(values for _, values in table), strict=True)])
    return text.getvalue().encode()


def _records(table: Table) -> list[str]:
    """Objects as text, since a dict could not hold a key twice; a key without a value is left out."""
    rows = zip(*(values for _, values in table), strict=True)
    names = [name for name, _ in table]
    return [f"{{{','.join(_pairs(names, row))}}}" for row in rows]


def _pairs(names: list[str], row: tuple[Any, ...]) -> Iterator[str]:
    for name, value in zip(names, row, strict=True):
        if value is not None:
            yield f"{json.dumps(name)}:{json.dumps(float(value) if isinstance(value, Decimal) else value)}"


def _parquet(table: Table) -> bytes:
    stream = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([pa.array(values) for _, values in table], [name for name, _ in table]), stream)
    return bytes(stream.getvalue())


FILES: dict[str, Callable[[Table], bytes]] = {
    "csv": _csv,
    "json": lambda table: f"[{','.join(_records(table))}]".encode(),
    "ndjson": lambda table: "\n".join(_records(table)).encode(),
    "parquet": _parquet,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    yield start_server(home).uri()
    stop_server(home)


def _contract(place, mode: str):
    columns = (
        Column(name="id", data_type="bigint", description="key"),
        Column(name="name", data_type="varchar", description="name"),
        Column(name="amount", data_type="decimal(9,2)", description="money"),
    )
    return place.contract(columns=columns, key=("id",), on_drift=mode)


class Days:
    """Lands one table after the other, each for the next day."""

    def __init__(self, place, kind: str, mode: str, workbook, url: str | None) -> None:
        self.place, self.kind, self.contract = place, kind, _contract(place, mode)
        self.workbook, self.url, self.day, self.rows = workbook, url, FIRST, {}

    def land(self, table: Table, *, accept: bool = False):
        self.day += timedelta(days=1)
        manifest = self._land(table, accept)
        if manifest.is_accepted:
            self.rows[self.day] = manifest.rows_loaded
        return manifest

    def _land(self, table: Table, accept: bool):
        if self.kind == "postgres":
            self._fill(table)
            sources = self.place.sources(Connection(kind="postgres", url=self.url), table="people")
            run = self.place.run(self.day)
            return land(self.contract, sources, self.place.settings, run, accept=accept).manifest
        name = f"{self.day}.{self.kind}"
        if self.kind == "xlsx":
            self.workbook(self.place.folder / name, [[n for n, _ in table], *zip(*(v for _, v in table), strict=True)])
        else:
            self.place.write(name, FILES[self.kind](table))
        return self.place.land(self.contract, day=self.day, path=f"{{as_of}}.{self.kind}", accept=accept).manifest

    def _fill(self, table: Table) -> None:
        kinds = {int: "bigint", Decimal: "numeric(12,4)", str: "text"}
        columns = [f'"{name or " "}" {kinds[type(values[0])]}' for name, values in table]
        with psycopg.connect(self.url, autocommit=True) as session:
            session.execute(f"drop table if exists people; create table people ({', '.join(columns)})")
            marks = ", ".join(["%s"] * len(table))
            with session.cursor() as cursor:
                rows = list(zip(*(values for _, values in table), strict=True))
                cursor.executemany(f"insert into people values ({marks})", rows)


def _check(days: Days, drift: str, expected: Any) -> None:
    table = DRIFTS[drift]
    if isinstance(expected, str) and not expected.startswith("blocked: "):
        with pytest.raises(ContractError) as caught:
            days.land(table)
        assert expected in caught.value.message, drift
        assert ("people" if days.kind == "postgres" else str(days.day)) in caught.value.message
        assert caught.value.remedy
        return
    manifest = days.land(table)
    assert manifest.rows_read == ROWS == manifest.rows_loaded + manifest.rows_quarantined, drift
    if isinstance(expected, str):
        assert manifest.verdict.status == "blocked", drift
        assert expected.removeprefix("blocked: ") in "; ".join(manifest.verdict.reasons), drift
        return
    assert (manifest.rows_loaded, manifest.rejects_by_rule) == expected, drift
    assert manifest.is_accepted, (drift, manifest.verdict)
    whole = dict(zip(ID, zip(NAME, ID if drift == "narrower" else AMOUNT, strict=True), strict=True))
    for number, name, amount, record in days.place.rows(manifest, "id, name, amount"):
        assert (name, amount, record) == (*whole[number], number), drift
    for record, reason, raw in days.place.rejects(manifest, "record_number, reason, raw"):
        assert reason
        assert json.loads(raw)["id"] in (record, str(record)), drift


@pytest.mark.parametrize("mode", ["freeze", "evolve", "quarantine"])
@pytest.mark.parametrize("kind", ["csv", "json", "ndjson", "parquet", "xlsx", "postgres"])
def test_drift(place, workbook, request: pytest.FixtureRequest, kind: str, mode: str) -> None:
    days = Days(place, kind, mode, workbook, request.getfixturevalue("url") if kind == "postgres" else None)
    assert days.land(WHOLE).rows_loaded == ROWS
    outcomes = JSON_OUTCOMES if kind in ("json", "ndjson") else OUTCOMES
    assert outcomes.keys() == DRIFTS.keys()
    for drift in DRIFTS:
        _check(days, drift, outcomes[drift][mode])
    again = days.land(WHOLE)
    assert (again.rows_loaded, again.verdict.status) == (ROWS, "accepted")
    if kind == "csv":
        _check_raw(days)


def _check_raw(days: Days) -> None:
    """raw shows every accepted day with its rows, whatever was between them."""
    storage = open_storage(days.place.settings.landing_root, days.place.settings.s3)
    assert set(days.rows) <= set(landed_days(storage, "people"))
    with open_warehouse(days.place.settings) as warehouse:
        warehouse.prepare({"people": days.contract})
        manifests = [found for day in days.rows for found in day_manifests(storage, "people", day)]
        warehouse.load(days.contract, manifests, days.place.run(days.day), datetime(2026, 2, 1))
        counted = warehouse.query("select _as_of, count(*), count(name) from raw.people group by all order by all")
    assert counted == [(day, rows, rows) for day, rows in sorted(days.rows.items())]


def test_a_vanished_column_can_be_accepted_and_then_is_the_new_state(place, workbook) -> None:
    days = Days(place, "csv", "evolve", workbook, None)
    days.land(WHOLE)
    blocked = days.land(DRIFTS["removed"])
    assert blocked.verdict.reasons == ("2026-01-03.csv has no column for name, which had 12 values on 2026-01-02",)
    again = days.land(DRIFTS["removed"])
    assert not again.is_accepted
    assert days.land(DRIFTS["removed"], accept=True).verdict.status == "overridden"
    assert days.land(DRIFTS["removed"]).verdict.status == "accepted"
    assert days.land(WHOLE).filled == {"id": 12, "name": 12, "amount": 12}


def test_a_column_that_is_there_but_empty_blocks_only_where_chance_does_not_explain_it(place, workbook) -> None:
    days = Days(place, "csv", "freeze", workbook, None)
    days.land([("id", ID), ("name", ["x"] * 9 + [None] * 3), ("amount", AMOUNT)])
    assert days.land([("id", ID), ("name", [None] * ROWS), ("amount", AMOUNT)]).verdict.status == "accepted"
    days.land(WHOLE)
    emptied = days.land([("id", ID), ("name", [None] * ROWS), ("amount", AMOUNT)])
    assert emptied.verdict.reasons == ("name has no value, and had 12 in 12 rows on 2026-01-04",)


def test_rows_kept_apart_for_drift_come_back_once_the_contract_says_what_is_meant(place, workbook) -> None:
    days = Days(place, "csv", "quarantine", workbook, None)
    manifest = days.land(DRIFTS["added"])
    sources, run = place.sources(path="{as_of}.csv"), place.run(days.day)
    assert replay(days.contract, sources, place.settings, run, days.day) is None
    wider = (*days.contract.columns, Column(name="extra", data_type="varchar", description="new"))
    contract = days.contract.model_copy(update={"columns": wider})
    landed = replay(place.contract(columns=wider, on_drift="quarantine"), sources, place.settings, run, days.day)
    assert landed is not None
    assert place.rows(landed.manifest, "id, extra") == [(1, "x", 1)]
    assert manifest.rejects_by_rule == {"unknown_column": 1}
    assert replay(contract, sources, place.settings, run, days.day) is None

    lacking = days.land(DRIFTS["removed"], accept=True)
    run = place.run(days.day)
    assert lacking.rejects_by_rule == {"missing_column": ROWS}
    assert replay(days.contract, sources, place.settings, run, days.day) is None
    evolving = _contract(place, "evolve")
    landed = replay(evolving, sources, place.settings, run, days.day)
    assert landed is not None
    assert landed.manifest.rows_loaded == ROWS
