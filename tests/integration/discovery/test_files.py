"""Drafts of files: what is guessed of their form and columns, that it lands and compiles, and that no personal value is in it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from regulars.contracts import read_contracts
from regulars.settings import PROJECT_DIR
from tests.integration.discovery.taken_over import answer, run_command

DAYS = [date(2026, 1, 25), date(2026, 1, 26)]
HEADER = "Kundennr;Vorname;E-Mail;Telefon;PLZ;Umsatz;Aktiv;Geburtstag;Letzte Änderung;Rabatt;Stufe;Bemerkung;order"


def _customer(number: int) -> str:
    day, month = 1 + number % 28, 1 + number % 12
    amount = f"{1 + number % 9}.{100 + number % 900},{10 + number % 90}"
    return (
        f"{number:05d};Größe{number};k{number}@beispiel.de;+49 30 {100000 + number};0{1000 + number};{amount};"
        f"{'ja' if number % 3 else 'nein'};{day:02d}.{month:02d}.19{50 + number % 50};{day:02d}.01.2026 {number % 24:02d}:15;"
        f"{'N/A' if number % 5 == 0 else number % 30};{'gold' if number % 4 else 'silber'};;{number}"
    )


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """A German snapshot of customers a day, visits as events, and orders in one Parquet file."""
    root = tmp_path / "exports"
    for folder in ("kunden", "visits"):
        (root / folder).mkdir(parents=True)
    for day, first in zip(DAYS, (0, 1), strict=True):
        lines = [HEADER, *(_customer(number) for number in range(first, 200 + first))]
        (root / "kunden" / f"kunden_{day}.csv").write_text("\n".join(lines) + "\n", encoding="cp1252")
        visits = [
            {"visitId": day.day * 1000 + n, "userId": n % 50, "at": f"{day}T10:{n % 60:02d}:00Z", "ip": f"10.0.0.{n}",
             "page": "/a" if n % 3 else "/b"}
            for n in range(100)
        ]  # fmt: skip
        (root / "visits" / f"{day}.ndjson").write_text("\n".join(map(json.dumps, visits)))
    duckdb.sql(
        'copy (select range as "Order ID", (range * 1.5)::decimal(10, 2) as "Total", '
        "date '2026-01-01' + range::int as \"Ordered On\", [range] as tags from range(60)) "
        f"to '{root / 'orders.parquet'}'"
    )
    return root


def test_a_folder_becomes_contracts_that_land_and_stage(exports: Path, draft) -> None:
    said, taken = draft(exports)
    texts = said + "".join(file.read_text() for file in taken.out.rglob("*.*"))
    for value in ("Größe", "beispiel.de", "+49", "01007", "10.0.0.", "1957"):
        assert value not in texts, "a value of a person"
    assert run_command("validate", taken.out)[0] == 1
    contracts = read_contracts(taken.out / "staging")
    assert {name: (c.mode, c.key, c.event_time) for name, c in contracts.items()} == {
        "kunden": ("snapshot", ("kundennr",), None),
        "visits": ("append", ("visit_id",), "at_value"),
        "store_orders": ("append", ("order_id",), "ordered_on"),
    }
    customer = contracts["kunden"].by_name
    assert {name: column.data_type for name, column in customer.items()} == {
        "kundennr": "varchar", "vorname": "varchar", "e_mail": "varchar", "telefon": "varchar", "plz": "varchar",
        "umsatz": "decimal(18,2)", "aktiv": "boolean", "geburtstag": "date", "letzte_anderung": "timestamp",
        "rabatt": "bigint", "stufe": "varchar", "bemerkung": "varchar", "order_value": "bigint",
    }  # fmt: skip
    assert {name: column.pii for name, column in customer.items() if column.pii} == {
        "vorname": "name", "e_mail": "email", "telefon": "phone", "plz": "address", "bemerkung": "free_text",
    }  # fmt: skip
    assert customer["stufe"].enum == ("gold", "silber") and customer["umsatz"].min == 0
    assert customer["kundennr"].required and not customer["rabatt"].required
    read = yaml.safe_load((taken.out / "sources.yml").read_text())["tables"]["kunden"]
    assert read["path"] == "kunden/kunden_{as_of}.csv"
    assert {key: read["read"][key] for key in ("encoding", "delimiter", "decimal", "date_format", "null_values")} == {
        "encoding": "cp1252", "delimiter": ";", "decimal": ",", "date_format": "%d.%m.%Y", "null_values": ["N/A"],
    }  # fmt: skip

    answer(taken.out)
    code, clean = run_command("validate", taken.out)
    assert code == 0 and "open:" not in clean and "TODO" not in clean
    landed = taken.land(*DAYS)
    counts = {(table, day.day): (m.rows_loaded, m.rows_quarantined) for (table, day), m in landed.items()}
    assert counts == {
        ("kunden", 25): (200, 0), ("visits", 25): (100, 0), ("store_orders", 25): (4, 0),
        ("kunden", 26): (200, 0), ("visits", 26): (100, 0), ("store_orders", 26): (4, 0),
    }  # fmt: skip
    taken.stage(DAYS[-1])
    (row,) = taken.rows("select kundennr, umsatz, aktiv, geburtstag::varchar, letzte_anderung::varchar, rabatt, stufe, "
                        "length(e_mail_hash) from staging.stg_store__kunden where kundennr = '00007' and "
                        "landed_on = date '2026-01-26'")  # fmt: skip
    assert [str(value) for value in row] == [
        "00007", "8107.17", "True", "1957-08-08", "2026-01-08 07:15:00", "7", "gold", "64",
    ]  # fmt: skip
    assert taken.rows("select count(*), count(distinct at_value_on) from staging.stg_store__visits") == [(200, 2)]


def test_drafts_are_not_written_over(exports: Path, draft) -> None:
    _, taken = draft(exports, "--table", "visits")
    (taken.out / "sources.yml").write_text("mine")
    again = ("discover", exports, "--table", "visits", "--name", "store", "--out", taken.out)
    code, said = run_command(*again)
    assert code != 0 and "is there already" in said and (taken.out / "sources.yml").read_text() == "mine"
    code, _ = run_command(*again, "--force")
    assert code == 0 and (taken.out / "sources.yml").read_text() != "mine"


def test_what_cannot_be_decided_is_asked_with_file_and_line(tmp_path: Path, draft) -> None:
    # Four columns of two values each: nothing short of all of them names a row.
    rows = [f"{n & 1},{n >> 1 & 1},0{1 + (n >> 2 & 1)}/03/2026,{1 + (n >> 3 & 1)}" for n in range(120)]
    rows = ["a,b,when,amount", *rows, "0,0,01/03/2026,much"]
    (tmp_path / "ex").mkdir()
    (tmp_path / "ex" / "sales.csv").write_text("\n".join(rows))
    _, taken = draft(tmp_path / "ex")
    code, said = run_command("validate", taken.out, "--json")
    found = {one["what"].split(": ")[0]: one for one in json.loads(said)["open"]}
    assert code == 1
    assert {"description of sales", "owner of sales", "key of sales", "data_type of sales.when_value"} <= set(found)
    assert "day or month first?" in found["data_type of sales.when_value"]["what"]
    assert "0.83% of the values are not bigint" in found["data_type of sales.amount"]["what"]
    key = found["key of sales"]
    assert Path(key["file"]).read_text().splitlines()[key["line"] - 1].strip().startswith("key:")


def test_sheets_documents_and_damaged_files(tmp_path: Path, draft, workbook) -> None:
    root = tmp_path / "ex"
    root.mkdir()
    workbook(root / "stock.xlsx", [["SKU", "Qty", "Price"], *([f"A-{n}", n, n * 0.5] for n in range(30))])
    (root / "events.json").write_text(json.dumps([{"id": n, "payload": {"x": n}} for n in range(30)]))
    for part in (1, 2):
        (root / f"part-{part}.csv").write_text("id,flag\n" + "".join(f"{part}{n},{n % 2}\n" for n in range(30)))
    (root / "half.csv.gz").write_bytes(b"\x1f\x8b\x08 no gzip at all")
    (root / "empty.csv").write_text("")
    (root / "notes.docx").write_text("nothing of ours")
    code, said = run_command("discover", root, "--name", "store", "--out", tmp_path / "draft")
    assert code == 1 and "left out: table half" in said and "left out: table empty" in said
    contracts = read_contracts(tmp_path / "draft" / "staging")
    assert {name: [c.data_type for c in contract.columns] for name, contract in contracts.items()} == {
        "stock": ["varchar", "bigint", "decimal(18,2)"],
        "events": ["bigint", "varchar"],
        "part": ["bigint", "boolean"],
    }
    entry = yaml.safe_load((tmp_path / "draft" / "sources.yml").read_text())["tables"]["part"]
    assert entry["path"] == "part-*.csv"


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    for place, said in (("nowhere", "neither a path nor a connection"), ("s3://bucket/x", "nothing that discover reads"),
                        (str(tmp_path), "no file that can be read"), ("sqlite:///x", "nothing that discover reads")):  # fmt: skip
        code, words = run_command("discover", place, "--out", tmp_path / "draft")
        assert code != 0 and said in words, words
    for place in (
        "mysql://u:s3cret@host",
        "mysql:/u:s3cret@host/x",
        "mysql://u:x/s3cret@host",
        "postgres://u:x/s3cret@h/d",
    ):
        code, words = run_command("discover", place, "--out", tmp_path / "draft")
        assert code != 0 and "s3cret" not in words and "url" in words, words
    code, words = run_command("discover", PROJECT_DIR / "docs" / "..", "--name", "dw_a")
    assert code != 0 and "the project has a group dw_a already" in words
    assert not (tmp_path / "draft").exists()


def test_names_that_look_like_yaml_jinja_or_sql_are_only_names(tmp_path: Path, draft) -> None:
    names = [
        "id: {a}",
        "{{ 1 / 0 }} # TODO",
        'say ""hi""',
        "no",
        "null",
        "'; drop table x --",
        "line\nbreak",
        "TODO: x",
    ]
    root = tmp_path / "ex"
    root.mkdir()
    lines = [",".join(f'"{name}"' for name in names), *(",".join([str(n)] * len(names)) for n in range(20))]
    (root / "it's # {{ odd }}.csv").write_text("\n".join(lines))
    _, taken = draft(root)
    answer(taken.out)
    assert run_command("validate", taken.out)[0] == 0
    (contract,) = read_contracts(taken.out / "staging").values()
    assert list(contract.by_name)[:4] == ["id_a", "column_1_0_todo", "say_hi", "no"]
    landed = taken.land(DAYS[0])
    assert [(m.rows_loaded, m.rows_quarantined) for m in landed.values()] == [(20, 0)]
    taken.stage(DAYS[0])
    assert taken.rows(f"select count(*) from staging.stg_store__{contract.table}") == [(20,)]
    assert run_command("discover", root, "--name", "../up", "--out", tmp_path / "other")[0] != 0


def test_a_file_without_a_header_gives_no_names_away(tmp_path: Path, draft) -> None:
    root = tmp_path / "ex"
    root.mkdir()
    people = [f"{name},{town},gold" for name in ("Annabel", "Bertram", "Cedric") for town in ("Lisboa", "Porto")]
    (root / "members.csv").write_text("\n".join(people * 5))
    said, taken = draft(root)
    assert yaml.safe_load((taken.out / "sources.yml").read_text())["tables"]["members"]["read"] == {"header": False}
    texts = said + "".join(file.read_text() for file in taken.out.rglob("*_sources.yml"))
    assert "column1" in texts and "nnabel:" not in texts


def test_a_connection_of_sources_yml_keeps_its_variables(
    exports: Path, tmp_path: Path, draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sources.yml").write_text('connections: {crm_files: {kind: files, path: "${CRM_FILES}"}}\ntables: {}\n')
    monkeypatch.setenv("REGULARS_SOURCES", str(tmp_path / "sources.yml"))
    code, said = run_command("discover", "crm_files", "--out", tmp_path / "none")
    assert code != 0 and "${CRM_FILES} is not set" in said
    monkeypatch.setenv("CRM_FILES", str(exports))
    _, taken = draft("crm_files", "--table", "visits")
    text = (taken.out / "sources.yml").read_text()
    assert 'crm_files: {kind: "files", path: "${CRM_FILES}"}' in text and list(
        read_contracts(taken.out / "staging")
    ) == ["visits"]
