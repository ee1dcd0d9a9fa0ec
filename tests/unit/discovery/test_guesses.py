"""Names, patterns of files and signs of personal data: pure rules, one by one."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from regulars.discovery.folders import file_tables
from regulars.discovery.names import RESERVED, contract_name, contract_names
from regulars.discovery.personal import personal
from regulars.discovery.questions import open_questions


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("InvoiceNo", "invoice_no"), ("Unit Price", "unit_price"), ("customerID", "customer_id"), ("HTTPStatus", "http_status"),
        ("Straße (privat)", "strasse_privat"), ("order", "order_value"), ("2nd name", "column_2nd_name"), ("日本", "column_3"),
        ("x" * 90, "x" * 63), ("", "column_3"), ("__a--b__", "a_b"),
    ],
)  # fmt: skip
def test_names(text: str, name: str) -> None:
    assert contract_name(text, "column_3") == name


def test_names_of_columns_differ() -> None:
    assert contract_names(["a", "A", "a b", "a_b", ""]) == ["a", "a_2", "a_b", "a_b_2", "column_5"]


def test_every_word_that_duckdb_keeps_is_known() -> None:
    with duckdb.connect() as engine:
        words = engine.execute("select keyword_name from duckdb_keywords()").fetchall()
        for (word,) in words:
            name = contract_name(str(word), "x")
            engine.execute(
                f"select {name}, trim(t.{name}) from (select 'a' as {name}) as t order by {name} desc nulls last"
            )
    assert {"select", "order", "qualify", "at"} <= RESERVED


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["2010-12-01.csv", "2010-12-02.csv"], {"root": "{as_of}.csv"}),
        (["orders/as_of=2026-01-01/part-0.parquet", "orders/as_of=2026-01-02/part-0.parquet"],
         {"part_0": "orders/as_of={as_of}/part-0.parquet"}),
        (["crm/2026-01-01/users.csv", "crm/2026-01-02/users.csv"], {"users": "crm/{as_of}/users.csv"}),
        (["a-1.csv", "a-2.csv", "a-10.csv", "b.csv.gz"], {"a": "a-*.csv", "b": "b.csv.gz"}),
        (["x/users.csv", "y/users.csv", ".hidden.csv", "readme.md"], {"users": "x/users.csv", "users_2": "y/users.csv"}),
        (["from 2026-01-01 to 2026-01-31.csv"], {"from_2026_01_01_to_2026_01_31": "from 2026-01-01 to 2026-01-31.csv"}),
        (["2026-99-99.csv"], {"files_2026_99_99": "2026-99-99.csv"}),
    ],
)  # fmt: skip
def test_files_become_tables(tmp_path: Path, names: list[str], found: dict[str, str]) -> None:
    for name in names:
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a\n1\n")
    tables = {shelf.table: shelf.entry["path"] for shelf in file_tables(tmp_path / "root")}
    assert tables == found


def _pii(name: str, values: list[str | None], data_type: str = "varchar") -> tuple[str | None, bool]:
    with duckdb.connect() as engine:
        engine.execute("create table t (x varchar)")
        engine.executemany("insert into t values (?)", [[value] for value in values])
        filled = [value for value in values if value]
        guess = personal(engine, "t", "x", name, data_type, len(set(filled)), len(filled))
    return guess.value, bool(guess.ask)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("contact_field", ["a@b.org", "c.d@e.co.uk", None], "email"),
        ("field_7", ["+49 30 123456", "0049 (30) 998877"], "phone"),
        ("origin", ["10.0.0.1", "192.168.1.77"], "id"),
        ("account", ["DE89370400440532013000", "GB33BUKB20201555555555"], "id"),
        ("first_name", ["Ann", "Bob"], "name"),
        ("nachname", ["Müller"], "name"),
        ("billing_address_line_1", ["x"], "address"),
        ("support_notes", ["fine"], "free_text"),
        ("details", ["he said that it does not work any more", "she says that it works well again"], "free_text"),
        ("product_name", ["red mug", "red mug", "blue mug", "red mug", "blue mug", "red mug"], None),
        ("order_status", ["open", "closed"], None),
        ("email_opened", ["yes", "no"], "email"),
        ("amount", ["1.50", "2.50"], None),
    ],
)
def test_personal_data(name: str, values: list[str | None], kind: str | None) -> None:
    assert _pii(name, values) == (kind, False)


def test_what_may_be_personal_is_asked_and_kept_out_meanwhile() -> None:
    assert _pii("zip_code", ["12345"]) == ("address", True)
    assert _pii("birth_date", ["1970-01-01"], "date") == (None, True)
    assert _pii("owner_x_name", ["Ann Lee", "Bob Ray", "Cid Poe"]) == ("name", True)


def test_questions_are_found_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("x: 1\nkey: [a]  # TODO: key of t: which?\n# a todo list\n")
    (tmp_path / "b.sql").write_text("select 1 -- TODO\n")
    assert [(one.file.name, one.line, one.what) for one in open_questions([tmp_path])] == [
        ("a.yml", 2, "key of t: which?"),
        ("b.sql", 1, "decide what this line says"),
    ]
