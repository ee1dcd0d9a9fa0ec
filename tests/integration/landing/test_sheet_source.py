"""Landing by kind `sheet` through gspread, from a server that speaks Google's APIs: values, tabs, quotas, faults, secrets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest

from regulars.engine import local_engine
from regulars.errors import ConfigError, ContractError, RegularsError, SourceError, TransientError
from regulars.landing import land, plan_extract
from regulars.sources.base import make_request
from regulars.sources.config import Connection, fill_connection
from regulars.sources.sheet import SheetReader
from regulars.sources.sheet_table import RECORD
from regulars.spool import open_spool
from tests.integration.landing.faulty_http import drips, resets, sends, sleeps
from tests.integration.landing.sheets_faults import edits, fails
from tests.integration.landing.sheets_server import EMAIL, Book, Server, Tab, sheets_server

KEY = "1AbCdEfGhIjKlMnOpQrStUvWxYz_0123456789-abcd"
URL = f"https://docs.google.com/spreadsheets/d/{KEY}/edit#gid=0"
HEADER = ["id", "email", "amount", "born_on", "seen_at", "is_member", "tier"]
DAY, MOMENT = (46047.0, "DATE"), (46047 + 1 / 3, "DATE_TIME")
FACTS = "id, email, amount, born_on, seen_at, is_member, tier"


def people(first: int, count: int = 3) -> list[list[object]]:
    return [[n, f"p{n}@example.org", n + 0.5, DAY, MOMENT, n % 2 == 0, "gold"] for n in range(first, first + count)]


def rows_of(first: int, count: int = 3, start: int = 2) -> list[tuple[object, ...]]:
    return [
        (n, f"p{n}@example.org", Decimal(n) + Decimal("0.50"), date(2026, 1, 25), datetime(2026, 1, 25, 8), n % 2 == 0,
         "gold", row)
        for row, n in enumerate(range(first, first + count), start=start)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with sheets_server() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    running.books = {
        KEY: Book("Client engagement", {"2023": Tab([HEADER, *people(1)]), "2024": Tab([HEADER, *people(7)])})
    }
    running.faults, running.asked, running.drive_is_enabled = [], [], True
    yield running
    assert running.faults == [], "a fault that was never met tests nothing"


def connection(server: Server, **options) -> Connection:
    known = {"endpoint": server.address, "silence_timeout_seconds": 20, **options}
    return Connection(kind="sheet", credentials=server.credentials, options=known)


def land_sheet(place, server: Server, contract=None, *, options=None, run=None, refresh=False, **entry):
    sources = place.sources(connection(server, **(options or {})), **{"spreadsheet": KEY, **entry})
    return land(contract or place.contract(), sources, place.settings, run or place.run(), refresh=refresh).manifest


def test_values_arrive_exactly_and_wrong_ones_name_tab_row_and_column(place, server: Server) -> None:
    cells = server.books[KEY].tabs["2023"].cells
    cells += [[], [None, None, "", None], [4, None, "12x"], [5, "e", (0.1, "PERCENT"), None, (46047.5, "DATE")]]
    cells += [[6, "f", (1234.5, "CURRENCY"), 46047, None, None, None]]
    manifest = land_sheet(place, server)
    assert place.rows(manifest, FACTS) == [
        *rows_of(1),
        (5, "e", Decimal("0.10"), None, datetime(2026, 1, 25, 12), None, None, 8),
    ]
    source = "place: Client engagement!2023"
    assert place.rejects(manifest, "record_number, rule, source") == [(7, "type", source), (9, "max", source)]
    ((raw,), _) = place.rejects(manifest, "raw")
    assert json.loads(raw)["amount"] == "12x"


@pytest.mark.parametrize("name", [KEY, URL, "Client engagement"])
def test_by_key_url_or_title(place, server: Server, name: str) -> None:
    for number in range(5):  # more than Drive lists on a page
        server.books[f"{number}" * 44] = Book("client engagement", {"x": Tab([])})
    assert place.rows(land_sheet(place, server, spreadsheet=name), FACTS) == rows_of(1)
    assert server.calls("pageToken") == (2 if name == "Client engagement" else 0)


def test_titles_that_do_not_name_one(place, server: Server) -> None:
    server.books["2" * 44] = Book('Say "hi" \\', {"x": Tab([HEADER, *people(1)])})
    assert land_sheet(place, server, spreadsheet='Say "hi" \\').rows_loaded == 3
    server.books["3" * 44] = Book('Say "hi" \\', {"x": Tab([])})
    with pytest.raises(ConfigError, match="sees 2 spreadsheets called"):
        land_sheet(place, server, spreadsheet='Say "hi" \\', refresh=True)
    with pytest.raises(ConfigError, match="sees no spreadsheet called 'Nowhere'"):
        land_sheet(place, server, spreadsheet="Nowhere", refresh=True)
    with pytest.raises(ConfigError, match="no URL of a spreadsheet"):
        land_sheet(place, server, spreadsheet="https://example.org/x", refresh=True)


def test_several_tabs_each_row_with_its_tab_and_row(place, server: Server) -> None:
    tabs = server.books[KEY].tabs
    tabs["2024"].cells.insert(0, ["Engagement, as of today"])
    tabs["it's 'x'!"] = Tab([["email", "id", *HEADER[2:]], ["z", 9, 1]], rows=2, columns=7)
    columns = {**{name: name for name in HEADER}, "email": "_tab || ':' || _row"}
    manifest = land_sheet(place, server, tabs=[2023, "2024", "it's 'x'!"], columns=columns)
    assert place.rows(manifest, "id, email") == [
        (1, "2023:2", 2), (2, "2023:3", 3), (3, "2023:4", 4), (7, "2024:3", 3), (8, "2024:4", 4), (9, "2024:5", 5),
        (9, "it's 'x'!:2", 2),
    ]  # fmt: skip
    assert [part.source for part in manifest.parts][-1] == "place: Client engagement!it's 'x'!"
    assert any("header is row 2; rows above it are left out: 1" in note for note in manifest.notes)
    with pytest.raises(ContractError, match=r"Client engagement has no tab '2025'; it has: 2023, 2024"):
        land_sheet(place, server, tabs="2025", refresh=True)


def test_the_first_tab_that_is_a_visible_grid_is_read_and_planned(place, server: Server) -> None:
    tabs = server.books[KEY].tabs
    server.books[KEY].tabs = {"chart": Tab([], kind="OBJECT"), "lists": Tab([["x"]], hidden=True), **tabs}
    assert land_sheet(place, server).rows_loaded == 3
    sources = place.sources(connection(server), spreadsheet=KEY, tabs=["2024"])
    (plan,) = plan_extract(place.contract(), sources, place.settings, date(2026, 1, 25))
    assert (plan["spreadsheet"], plan["tab"], plan["rows"]) == ("Client engagement", "2024", 1000)


def test_rows_are_asked_for_in_ranges_and_none_is_lost_between_them(place, server: Server) -> None:
    gaps = [[None] * 7 if n % 17 == 0 else row for n, row in enumerate(people(1, 500))]
    server.books[KEY].tabs["2023"] = Tab([HEADER, *gaps], rows=700, columns=7)
    manifest = land_sheet(place, server, options={"rows_per_request": 100})
    assert manifest.rows_loaded == 500 - 30
    assert [row[-1] for row in place.rows(manifest)] == [n + 2 for n in range(500) if n % 17]
    assert server.calls(r"/values/'2023'!A\d+:G\d+\?") == 7


def test_equal_sheets_are_equal_batches(place, server: Server) -> None:
    server.books[KEY].tabs["2023"].rows = 9
    one = land_sheet(place, server)
    again = land_sheet(place, server, options={"rows_per_request": 2}, refresh=True)
    assert (again.content, again.revision) == (one.content, one.revision)


@pytest.mark.parametrize(
    "faults",
    [
        [fails(429, "RATE_LIMIT_EXCEEDED", {"Retry-After": "1"}), fails(500), resets, sleeps(1.2)],
        [fails(503), fails(403, "userRateLimitExceeded"), sends(b'{"values": [["cut'), drips(1.5)],
        [sends(b"<html>sign in</html>", "text/html"), fails(502), fails(504), fails(408)],
    ],
)
def test_what_may_heal_is_tried_again(place, server: Server, faults) -> None:
    """Each fault meets a request of another kind: what the sheet is, its cells, their formats, the header again."""
    patterns = (r"/v4/spreadsheets/[^/?]+\?fields=properties", "/values/", r"\?ranges=", "batchGet")
    server.faults = list(zip(patterns, faults, strict=True))
    began = time.monotonic()
    assert place.rows(land_sheet(place, server, options={"answer_timeout_seconds": 1}), FACTS) == rows_of(1)
    assert [server.calls(pattern) for pattern in patterns] == [3, 2, 2, 2]
    assert time.monotonic() - began < 15


def test_a_token_that_ends_is_made_anew_and_nothing_secret_is_logged(
    place, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = [("/token", fails(503)), ("/values/", edits(server.tokens.clear))]
    with caplog.at_level("DEBUG"):
        assert place.rows(land_sheet(place, server), FACTS) == rows_of(1)
    secrets = ["PRIVATE", server.key["private_key"][40:80], "p1@example.org", *server.tokens]
    assert caplog.text and [secret for secret in secrets if secret in caplog.text] == []


def test_retry_after_is_waited_for_as_seconds_and_as_a_date(place, server: Server) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.faults = [("/values/", fails(429, headers={"Retry-After": later}))]
    began = time.monotonic()
    land_sheet(place, server)
    assert 0.9 < time.monotonic() - began < 10


def test_patience_has_an_end(place, server: Server) -> None:
    server.faults = [("/values/", fails(429, headers={"Retry-After": "3600"}))]
    began = time.monotonic()
    with pytest.raises(
        TransientError, match=r"within 20 seconds .* the quota is used up, and asks to wait 3600"
    ) as error:
        land_sheet(place, server)
    assert time.monotonic() - began < 5
    _is_clean(error.value, server)
    server.faults = [("/values/", fails(500)) for _ in range(9)]
    with pytest.raises(TransientError, match="status 500"):
        land_sheet(place, server, options={"silence_timeout_seconds": 0.8})
    server.faults = []
    assert list(place.settings.home_dir.rglob("*.parquet")) == []


def test_what_is_refused_is_said_once_with_what_to_do(place, server: Server) -> None:
    def said(fault, kind: type[RegularsError], words: str, remedy: str, pattern: str = "/v4/", **entry) -> None:
        server.faults, server.asked = [(pattern, fault)], []
        with pytest.raises(kind, match=words) as error:
            land_sheet(place, server, **entry)
        assert remedy in error.value.remedy and server.calls(pattern) == 1
        _is_clean(error.value, server)

    said(fails(403), SourceError, f"{EMAIL} may not read it", f"share the sheet with {EMAIL}")
    said(fails(404), SourceError, "no such spreadsheet", "correct spreadsheet in sources.yml")
    said(fails(403, "SERVICE_DISABLED"), SourceError, "Sheets API is not enabled", "enable the Google Sheets API")
    said(fails(403, "accessNotConfigured"), SourceError, "Drive API is not enabled", "enable the Google Drive API",
         "/drive/", spreadsheet="Client engagement")  # fmt: skip
    said(fails(400, status="FAILED_PRECONDITION"), SourceError, "file of another kind", "save it as a Google Sheet")
    server.books[KEY].shared = False
    with pytest.raises(SourceError, match="may not read it"):
        land_sheet(place, server)
    with pytest.raises(SourceError, match="no such spreadsheet"):
        land_sheet(place, server, spreadsheet="9" * 44)


def test_a_key_that_was_revoked_or_is_none(place, server: Server) -> None:
    with sheets_server() as other:
        entry = {"spreadsheet": KEY}
        forged = json.dumps({**server.key, "private_key": other.key["private_key"]})
        wrong = {
            forged: (SourceError, "Google refused the login"),
            "SECRET-NOWHERE.json": (ConfigError, "neither JSON nor a file"),
            "{SECRET": (ConfigError, "not a whole service account key"),
            json.dumps({**server.key, "private_key": "SECRET"}): (ConfigError, "not a whole service account key"),
            json.dumps({"type": "authorized_user", "refresh_token": "SECRET"}): (
                ConfigError,
                "not the key of a service",
            ),
        }
        for text, (kind, words) in wrong.items():
            found = Connection(kind="sheet", credentials=text, options={"endpoint": server.address})
            with pytest.raises(kind, match=words) as error:
                land(place.contract(), place.sources(found, **entry), place.settings, place.run())
            _is_clean(error.value, server)
            assert "SECRET" not in repr(found)


def test_the_key_as_a_file_a_variable_or_a_block(place, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("key.json", server.credentials)
    monkeypatch.setenv("SHEETS_KEY", server.credentials)
    options = {"endpoint": server.address}
    for text in ("key.json", str(place.folder / "key.json"), "${SHEETS_KEY}", "{{ prefect.blocks.secret.sheets }}"):
        given = Connection(kind="sheet", credentials=text, options=options)
        found = fill_connection(place.folder, "place", given, lambda kind, name: server.credentials)
        sources = place.sources(found, spreadsheet=KEY)
        assert land(place.contract(), sources, place.settings, place.run(), refresh=True).manifest.rows_loaded == 3


def test_connections_that_make_no_sense(place, server: Server) -> None:
    both = connection(server).model_copy(update={"path": "x"})
    plain = connection(server, endpoint="http://example.org")
    unknown = connection(server, retries=3)
    for found, words in ((both, "not both"), (plain, "must begin with https"), (unknown, "options.retries")):
        with pytest.raises(ConfigError, match=words):
            land(place.contract(), place.sources(found, spreadsheet=KEY), place.settings, place.run())
    with pytest.raises(ConfigError, match="spreadsheet is missing"):
        land_sheet(place, server, spreadsheet=None)
    with pytest.raises(ConfigError, match=r"read\.skip"):
        land_sheet(place, server, read={"skip": 1})


def test_a_sheet_that_is_edited_between_two_ranges_is_read_again(place, server: Server) -> None:
    book = server.books[KEY]
    book.tabs["2023"] = Tab([HEADER, *people(1, 30)], rows=40, columns=7)

    def insert() -> None:  # every row below moves on: the one at the end of a range would be read twice
        book.tabs["2023"].cells.insert(1, people(99, 1)[0])
        book.edit += 1

    server.faults = [("A11:G20", edits(insert))]
    manifest = land_sheet(place, server, options={"rows_per_request": 10})
    assert [row[0] for row in place.rows(manifest)] == [99, *range(1, 31)]
    assert manifest.rows_duplicate == 0
    server.faults = [("A11:G20", edits(insert)) for _ in range(3)]
    with pytest.raises(TransientError, match="edited each of the 3 times"):
        land_sheet(place, server, options={"rows_per_request": 10}, refresh=True)


def test_without_drive_an_edit_is_seen_by_grid_and_header(place, server: Server) -> None:
    server.drive_is_enabled = False
    book = server.books[KEY]

    def grow() -> None:
        book.tabs["2023"].cells.append(people(50, 1)[0])
        book.tabs["2023"].rows += 1

    def rename() -> None:
        book.tabs["2023"].cells[0] = ["id", "email", "amount", "born_on", "seen_at", "is_member", "level"]

    server.faults = [("batchGet", edits(grow))]
    manifest = land_sheet(place, server)
    assert manifest.rows_loaded == 4
    assert any("Google Drive API does not tell" in note for note in manifest.notes)
    server.faults = [("batchGet", edits(rename))]
    with pytest.raises(ContractError, match="missing: tier"):
        land_sheet(place, server, refresh=True)


def test_a_tab_that_is_renamed_meanwhile_is_said_by_its_name(place, server: Server) -> None:
    book = server.books[KEY]

    def rename() -> None:
        book.tabs["2025"] = book.tabs.pop("2024")

    server.faults = [("/values/'2023'", edits(rename))]
    with pytest.raises(ContractError, match="no tab '2024'; it has: 2023, 2025"):
        land_sheet(place, server, tabs=["2023", "2024"])


def test_drift_names_each_column_and_its_nearest(place, server: Server) -> None:
    tab = server.books[KEY].tabs["2023"]
    tab.cells[0] = ["amount", "id", "e mail", "born_on", "seen_at", "is_member", "tier", "notes"]
    with pytest.raises(ContractError, match=r"missing: email \(nearest: e mail\).*not in the contract: e mail, notes"):
        land_sheet(place, server)
    columns = {**{name: name for name in HEADER}, "email": "E-Mail Address", "tier": "Client Tier"}
    tab.cells[0] = [*HEADER[:1], "E-Mail Adress", *HEADER[2:6], "Tier of Client", "notes"]
    with pytest.raises(ContractError, match=r"email: E-Mail Address \(nearest: E-Mail Adress\), tier: Client Tier"):
        land_sheet(place, server, columns=columns)
    tab.cells = [["id", "notes", *HEADER[1:]][::-1], [None], [*people(1, 1)[0][::-1][:-1], "n", 1]]
    manifest = land_sheet(place, server, columns={name: name for name in HEADER})
    assert place.rows(manifest, FACTS) == rows_of(1, 1, start=3)
    assert any("columns that nothing asks for: notes" in note for note in manifest.notes)
    assert any("in another order than expected, and are found by name" in note for note in manifest.notes)


def test_header_row_and_an_empty_tab(place, server: Server) -> None:
    tab = server.books[KEY].tabs["2023"]
    tab.cells = [["old", *HEADER[1:]], people(1, 1)[0], [], HEADER, *people(5, 2)]
    assert [row[0] for row in place.rows(land_sheet(place, server, header_row=4))] == [5, 6]
    with pytest.raises(ContractError, match="row 3 is empty"):
        land_sheet(place, server, header_row=3, refresh=True)
    tab.cells = []
    with pytest.raises(ContractError, match="Client engagement!2023 is empty: not even a header"):
        land_sheet(place, server, refresh=True)


def test_tabs_as_they_are_shown(place, server: Server) -> None:
    tabs = server.books[KEY].tabs
    tabs["2023"].cells = [["Report"], [], ["Client", "Spend", "Spend", None, "Hired"],
                          ["A, \"B\"\nC", 1.5, None, None, 39690], [None, 2, "x"]]  # fmt: skip
    tabs["2024"].cells = [["client", "Extra"], ["Ünï 😀", (46047, "DATE")]]
    sources = place.sources(connection(server), spreadsheet=KEY, tabs=["2023", "2024"], dates="Hired")
    sources.tables["people"] = sources.tables["people"].model_copy(update={"dates": ()})
    request = make_request(place.contract(), sources, place.settings, date(2026, 1, 25))
    with (
        open_spool(place.settings) as spool,
        local_engine(place.settings, spool) as engine,
        SheetReader().open(request, engine, spool) as opened,
    ):
        pieces = list(opened)
        shown = [engine.execute(f"select * exclude ({RECORD}) from ({piece.relation})").fetchall() for piece in pieces]
    assert shown == [
        [("2023", "4", 'A, "B"\nC', "1.5", None, "39690"), ("2023", "5", None, "2", "x", None)],
        [("2024", "2", "Ünï 😀", "2026-01-25")],
    ]
    assert [[name for name, _ in piece.columns] for piece in pieces] == [
        ["Client", "Spend", "Spend_1", "Hired"],
        ["client", "Extra"],
    ]
    assert any("header is row 3" in note for note in pieces[0].notes)


def _is_clean(error: RegularsError, server: Server) -> None:
    text = f"{error} {error!r} {error.__cause__}"
    secrets = [server.address, "SECRET", "BEGIN PRIVATE", *server.tokens]
    assert [secret for secret in secrets if secret in text] == [] and error.remedy
