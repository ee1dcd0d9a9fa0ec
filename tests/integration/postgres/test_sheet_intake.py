"""A sheet into the operational store: under the names of its contract, with its places, or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from regulars.contracts import Contract
from regulars.errors import ConfigError, ContractError
from regulars.landing import plan_extract
from regulars.postgres.plain_exports import plain_export
from regulars.postgres.server import stop_server
from regulars.postgres.sheet_intake import take_in_sheet
from regulars.postgres.store import open_store
from regulars.run import Run
from regulars.settings import Settings
from regulars.sheet_contracts import read_sheet_contracts
from regulars.sources.base import make_request
from regulars.sources.config import Connection, Sources, TableSource
from regulars.spool import open_spool
from tests.integration.landing.sheets_server import Book, Tab, sheets_server

RUN = Run("run-1", "customer-engagement", date(2026, 1, 5), datetime(2026, 1, 6, 6))
TABLE = "client_engagement_metrics"
NAME = "ClientData_2023—EngagementMetrics.csv"
HEADER = ["Client ID", "Client Name", "Project Code", "Period Starts On", "Engagement Level", "Status", "Channel", "Session Count",
          "Spend Amount", "Last Contact On"]  # fmt: skip
COLUMNS = {name.lower().replace(" ", "_"): name for name in HEADER}
ROWS = [["C1", "Ann & Co", "P-001", "2023-01", "High", "active", "email", "3", "1,200.50", "2023-01-30"],
        ["C2", 'Bo "B"', "P-002", "Jan 2023", "", "", "", "twelve", "", ""]]  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("sheets"))
    yield settings
    stop_server(settings.home_dir)


@pytest.fixture
def store(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with open_store(settings) as connection:
        connection.execute(f"drop table if exists raw.{TABLE}; delete from ops.ingestion_logs")
        yield connection


@pytest.fixture
def contract(settings: Settings) -> Contract:
    return read_sheet_contracts(settings)[TABLE]


def exported(folder: Path, *rows: list[str], header: list[str] | None = None, **entry: Any) -> Sources:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (header or HEADER, *rows)]
    (folder / NAME).write_text("\n".join(lines) + "\n")
    source = TableSource(**{"from": "exports", "path": NAME, "columns": COLUMNS, **entry})
    return Sources(
        connections={"exports": Connection(kind="sheet", path=str(folder))}, tables={}, sheets={TABLE: source}
    )


def shown(
    store: psycopg.Connection[Any], columns: str = "_tab, _row, client_id, session_count"
) -> list[tuple[Any, ...]]:
    return store.execute(f"select {columns} from raw.{TABLE} order by _tab, _row").fetchall()


def test_cells_come_under_the_names_of_the_contract(
    store: psycopg.Connection[Any], settings: Settings, contract: Contract, tmp_path: Path
) -> None:
    sources = exported(tmp_path, *ROWS, where="\"Client ID\" <> 'Total'", read={"null_values": ["n/a"]})
    first = take_in_sheet(store, contract, sources, settings, RUN)
    assert (first.taken.rows, first.taken.created, first.rows_filtered) == (2, True, 0)
    assert shown(store) == [("", 2, "C1", "3"), ("", 3, "C2", "twelve")]
    assert shown(store, "client_name, spend_amount, status") == [
        ("Ann & Co", "1,200.50", "active"),
        ('Bo "B"', None, None),
    ]
    assert not take_in_sheet(store, contract, sources, settings, RUN).taken.created
    total = ["Total", *["n/a"] * 9]
    turned = [[*row[1:], row[0]] for row in [[*ROWS[0][:7], "n/a", *ROWS[0][8:]], total]]
    sources = exported(
        tmp_path,
        *turned,
        header=[*HEADER[1:], HEADER[0]],
        where="\"Client ID\" <> 'Total'",
        read={"null_values": ["n/a"]},
    )
    moved = take_in_sheet(store, contract, sources, settings, RUN)
    assert moved.rows_filtered == 1 and any("in another order" in note for note in moved.notes)
    assert shown(store) == [("", 2, "C1", None)]
    assert store.execute("select rows_read, rows_loaded, rows_filtered, files from ops.ingestion_logs order by revision").fetchall() == [
        (2, 2, 0, NAME), (2, 1, 1, NAME)]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "columns", "says", "remedy"),
    [
        (
            ["Client No", *HEADER[1:]],
            COLUMNS,
            rf"sheets\.{TABLE}\.columns reads: client_id: Client ID \(nearest: Client No\)",
            f"correct sheets.{TABLE}.columns in sources.yml",
        ),
        (
            [*list(COLUMNS)[:-1], "last_contct_on"],
            {},
            r"missing: last_contact_on \(nearest: last_contct_on\)",
            f"map the columns under sheets.{TABLE}.columns in sources.yml",
        ),
        ([*COLUMNS, "region"], {}, "not in the contract: region", f"map the columns under sheets.{TABLE}.columns"),
        (
            [*HEADER, HEADER[0]],
            COLUMNS,
            "has Client ID more than once",
            f"choose one under sheets.{TABLE}.columns.client_id in sources.yml",
        ),
    ],
)
def test_drift_is_named_and_what_was_there_stays(
    header: list[str], columns: dict[str, str], says: str, remedy: str,
    store: psycopg.Connection[Any], settings: Settings, contract: Contract, tmp_path: Path,
) -> None:  # fmt: skip
    take_in_sheet(store, contract, exported(tmp_path, *ROWS), settings, RUN)
    before = shown(store)
    wide = [row + [""] * (len(header) - len(row)) for row in ROWS]
    with pytest.raises(ContractError, match=says) as caught:
        take_in_sheet(store, contract, exported(tmp_path, *wide, header=header, columns=columns), settings, RUN)
    assert remedy in caught.value.remedy
    assert shown(store) == before


def test_entries_that_a_sheet_cannot_have(
    store: psycopg.Connection[Any], settings: Settings, contract: Contract, tmp_path: Path
) -> None:
    sources = exported(tmp_path, *ROWS, columns={**COLUMNS, "session_count": '"Session Count" + 1'})
    with pytest.raises(ConfigError, match=rf"sheets\.{TABLE}\.columns\.session_count: cells are text"):
        take_in_sheet(store, contract, sources, settings, RUN)
    misspelt = exported(tmp_path, *ROWS, read={"null_value": ["n/a"]})
    with pytest.raises(ConfigError, match=rf"sources\.yml: sheets\.{TABLE}\.read\.null_value: "):
        take_in_sheet(store, contract, misspelt, settings, RUN)
    with pytest.raises(ConfigError, match=rf"sources\.yml: sheets\.{TABLE}\.read\.null_value: "):
        plan_extract(contract, misspelt.of_sheets, settings, RUN.as_of, entry=f"sheets.{TABLE}")
    plain = sources.model_copy(update={"connections": {"exports": Connection(kind="files", path=str(tmp_path))}})
    with pytest.raises(ConfigError, match="not of kind sheet"):
        take_in_sheet(store, contract, plain, settings, RUN)
    with pytest.raises(ConfigError) as caught:
        take_in_sheet(store, contract, sources.model_copy(update={"sheets": {}}), settings, RUN)
    assert caught.value.remedy.startswith(f"add sheets.{TABLE} to sources.yml")


def test_tabs_of_a_shared_sheet(store: psycopg.Connection[Any], settings: Settings, contract: Contract) -> None:
    key = "1AbCdEfGhIjKlMnOpQrStUvWxYz_0123456789-abcd"
    with sheets_server() as server:
        tabs = {year: Tab([["Engagement"], [], HEADER, row]) for year, row in zip(("2023", "2024"), ROWS, strict=True)}
        server.books[key] = Book("Client engagement", tabs)
        options = {"endpoint": server.address, "silence_timeout_seconds": 20}
        source = TableSource(**{"from": "google", "spreadsheet": key, "tabs": ["2023", "2024"], "columns": COLUMNS})
        google = Connection(kind="sheet", credentials=server.credentials, options=options)
        sources = Sources(connections={"google": google}, tables={}, sheets={TABLE: source})
        taken = take_in_sheet(store, contract, sources, settings, RUN).taken
    assert taken.rows == 2
    assert shown(store) == [("2023", 4, "C1", "3"), ("2024", 4, "C2", "twelve")]


CELLS = st.sampled_from(
    [
        "",
        " ",
        "x",
        "a,b",
        'say "hi"',
        "two\nlines",
        "39690",
        "39690.5",
        "2019",
        "2023-01-05",
        "Ünï 😀",
        "'",
        "\\N",
        "0042",
    ]
)


def day_of(column: str) -> str:
    """A bare number is a day for the reader already, for copied bytes only in staging."""
    moment = f"timestamp '1899-12-30' + cast({column} as double precision) * interval '1 day'"
    return f"case when {column} ~ '^[0-9.]+$' and {column}::float > 3000 then regexp_replace(({moment})::text, ' 00:00:00$', '') else {column} end"


@hypothesis.settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(CELLS, min_size=len(HEADER), max_size=len(HEADER)), min_size=1, max_size=8),
    top=st.sampled_from([[], [["Engagement"] + [""] * 9], [["Engagement"], [""] * 10]]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoted=st.booleans(),
    mark=st.booleans(),
)
def test_bytes_that_are_copied_say_what_the_reader_says(
    rows: list[list[str]], top: list[list[str]], delimiter: str, end: str, quoted: bool, mark: bool,
    store: psycopg.Connection[Any], settings: Settings, contract: Contract, tmp_path: Path,
) -> None:  # fmt: skip
    text = io.StringIO()
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=style).writerows([*top, HEADER, *rows])
    sources = exported(tmp_path)
    (tmp_path / NAME).write_bytes(("\ufeff" if mark else "").encode() + text.getvalue().encode())
    counts, tables = [], []
    for where in (None, "true"):  # what a condition is asked of goes through the reader
        entry = sources.sheets[TABLE].model_copy(update={"where": where})
        given_sources = sources.model_copy(update={"sheets": {TABLE: entry}})
        request = make_request(contract, given_sources.of_sheets, settings, RUN.as_of)
        with open_spool(settings) as spool:
            assert (plain_export(request, spool) is not None) == (where is None)
        counts.append(take_in_sheet(store, contract, given_sources, settings, RUN, refresh=True).taken.rows)
        dates = {column.name for column in contract.columns if column.data_type == "date"}
        cells = [day_of(name) if name in dates else name for name in contract.by_name]
        tables.append(shown(store, ", ".join(["_tab", "_row", *cells])))
    assert counts[0] == counts[1] and tables[0] == tables[1]


def test_bare_numbers_are_moments_in_a_column_of_timestamps(
    store: psycopg.Connection[Any], settings: Settings, contract: Contract, tmp_path: Path
) -> None:
    """Staging makes days of what was copied, and no moments: the reader does."""
    columns = tuple(
        column.model_copy(update={"data_type": "timestamp"}) if column.name == "last_contact_on" else column
        for column in contract.columns
    )
    timed = contract.model_copy(update={"columns": columns})
    take_in_sheet(store, timed, exported(tmp_path, [*ROWS[0][:9], "44956.5"]), settings, RUN)
    assert shown(store, "last_contact_on") == [("2023-01-30 12:00:00",)]


def test_what_copy_refuses_is_read_by_the_reader(
    store: psycopg.Connection[Any], settings: Settings, contract: Contract, tmp_path: Path
) -> None:
    sources = exported(tmp_path, *ROWS)
    (tmp_path / NAME).write_text((tmp_path / NAME).read_text() + "C3,short\n")
    assert take_in_sheet(store, contract, sources, settings, RUN).taken.rows == 3
    assert shown(store)[-1][1:] == (4, "C3", None)
    assert store.execute("select distinct status from ops.ingestion_logs").fetchall() == [("loaded",)]
    (tmp_path / NAME).write_text((tmp_path / NAME).read_text() + 'C4,"never ends\n')
    with pytest.raises(ContractError, match=r"row 5 cannot be taken apart"):
        take_in_sheet(store, contract, sources, settings, RUN)
    assert len(shown(store)) == 3
