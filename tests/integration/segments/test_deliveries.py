"""What is published, against what, and what a rerun, a restatement and a crash leave behind."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta

import duckdb
import pytest

from regulars.errors import ConfigError, ContractError
from regulars.run import Run
from regulars.segments.delivery import ledger_row
from regulars.segments.manifest import MANIFEST, latest_manifest

D1, D2, D3 = (date(2026, 1, day) for day in (5, 6, 7))


def test_first_delivery_holds_everybody_and_describes_its_files(company):
    company.welcome("u1", "u2")
    company.fill(D1, ("u2", "gold", None, 2.5, 7, D1), ("u1", "silver", "", -1, 0, None))
    delivered = company.deliver(D1)
    manifest = delivered.manifest
    assert delivered.created
    assert delivered.published.folder == "marketing/fans/as_of=2026-01-05/rev=1"
    assert company.rows(delivered, "full.csv") == [
        ["u1", "silver", "", "-1.00", "0", ""],
        ["u2", "gold", "", "2.50", "7", "2026-01-05"],
    ]
    assert company.read(delivered, "full.csv") == company.read(delivered, "entered.csv")
    assert company.read(delivered, "left.csv") == b"user_id,reason\n"
    assert (manifest.members, manifest.rows, manifest.entered, manifest.left, manifest.previous) == (2, 2, 2, 0, None)
    assert dict(manifest.columns)["score"] == "decimal(5,2)"
    assert sorted(file.name for file in manifest.files) == sorted(
        f"{role}.{kind}" for role in ("full", "entered", "left") for kind in ("csv", "parquet")
    )
    for file in manifest.files:
        content = company.read(delivered, file.name)
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    parquet = f"{company.storage.root}/{delivered.published.folder}/full.parquet"
    assert duckdb.sql(f"select user_id, score, visits from '{parquet}'").fetchall() == [("u1", -1, 0), ("u2", 2.5, 7)]


def test_changes_are_against_the_previous_published_day(company):
    company.welcome("u1", "u2", "u3")
    company.fill(D1, ("u1",), ("u2",))
    company.fill(D3, ("u2",), ("u3",))
    first, third = company.deliver(D1), company.deliver(D3)
    previous = third.manifest.previous
    assert (previous.as_of, previous.revision, previous.sha256) == (D1, 1, first.published.sha256)
    assert company.users(third, "entered.csv") == ["u3"]
    assert company.rows(third, "left.csv") == [["u1", "left_segment"]]


@pytest.mark.parametrize("formats", [["csv"], ["parquet"], ["parquet", "csv"]])
def test_each_format_serves_as_the_previous_list(company, formats):
    users = ["=1+1", "'=1+1", "''x", 'a"b', "c,d", "e\nf", "g\r\nh", "i\rj", "ü" * 3, "#k", " @l", "\tm"]
    company.welcome(*users, "new")
    company.fill(D1, *[(user, user, user) for user in users])
    company.fill(D2, *[(user, user, user) for user in users if user != "=1+1"], ("new",))
    company.deliver(D1, formats=formats)
    second = company.deliver(D2, formats=formats)
    assert (second.manifest.entered, second.manifest.left_by_reason) == (1, {"left_segment": 1})
    if "csv" in formats:
        assert company.users(second, "entered.csv") == ["new"]
        assert company.rows(second, "left.csv") == [["'=1+1", "left_segment"]]


def test_a_rerun_writes_nothing_and_another_place_gets_equal_bytes(new_company):
    def play(name: str):
        company = new_company(name)
        company.welcome("u1", "u2", "u3")
        company.fill(D1, ("u1", "gold"), ("u2", "tin"))
        company.fill(D2, ("u3", "gold"), ("u2", "tin"))
        assert [company.deliver(day).created for day in (D1, D2)] == [True, True]
        return company

    here, there = play("here"), play("there")
    before = here.everything()
    again = [here.deliver(day) for day in (D2, D1)]
    assert [delivered.created for delivered in again] == [False, False]
    assert here.everything() == before == there.everything()


def test_a_restated_day_is_the_next_revision_and_later_days_stay(company):
    company.welcome("u1", "u2", "u3")
    company.fill(D1, ("u1",), ("u2",))
    company.fill(D2, ("u1",), ("u2",))
    company.deliver(D1)
    company.deliver(D2)
    before = company.everything()
    company.fill(D1, ("u1",), ("u3",))
    restated = company.deliver(D1)
    assert (restated.created, restated.manifest.revision) == (True, 2)
    assert before.items() <= company.everything().items()
    assert company.deliver(D2).created is False  # its members are the same, though what it was against was restated
    third = company.deliver(D3)
    assert (third.manifest.previous.as_of, third.manifest.rows) == (D2, 0)
    company.fill(D2, ("u3",))
    second = company.deliver(D2)
    assert (second.manifest.revision, second.manifest.previous.revision) == (2, 2)
    assert (company.users(second, "entered.csv"), company.users(second, "left.csv")) == ([], ["u1"])


def test_another_definition_or_another_column_value_is_another_revision(company):
    company.welcome("u1")
    company.fill(D1, ("u1", "gold"))
    assert company.deliver(D1).manifest.revision == 1
    company.fill(D1, ("u1", "silver"))
    assert company.deliver(D1).manifest.revision == 2
    assert company.deliver(D1, team="Marketing", holdout_pct=0.0, formats=["csv"]).manifest.revision == 3
    assert company.deliver(D1, formats=["csv"]).created is False


def test_a_crash_before_the_manifest_publishes_nothing_and_a_rerun_completes(company):
    class Failing:
        def __init__(self, storage, failing: str) -> None:
            self._storage, self._failing = storage, failing

        def __getattr__(self, name):
            def call(*arguments):
                if name in ("put_file", "write_bytes") and arguments[-1 if name == "put_file" else 0].endswith(
                    self._failing
                ):
                    raise KeyboardInterrupt
                return getattr(self._storage, name)(*arguments)

            return call

    company.welcome("u1")
    company.fill(D1, ("u1",))
    for failing in ("left.csv", MANIFEST):
        with pytest.raises(KeyboardInterrupt):
            company.deliver(D1, storage=Failing(company.storage, failing))
        assert company.published() == []
        assert latest_manifest(company.storage, company.segment()) is None
        assert not list((company.settings.home_dir / "spool").iterdir())
    stale = company.storage.root + "/marketing/fans/as_of=2026-01-05/rev=1/stale.csv"
    with open(stale, "w") as file:
        file.write("left over")
    delivered = company.deliver(D1)
    assert (delivered.created, delivered.manifest.revision) == (True, 1)
    assert {path.rsplit("/", 1)[1] for path in company.everything()} == {
        file.name for file in delivered.manifest.files
    } | {MANIFEST}


def test_the_ledger_row_is_the_same_for_a_found_delivery(company):
    company.welcome("u1")
    company.fill(D1, ("u1",))
    run, now = Run("run-9", "segment", D1, datetime(2026, 1, 9)), datetime(2026, 1, 9, 1)
    made, found = (ledger_row(company.deliver(D1), run, now) for _ in range(2))
    assert made == found
    assert (made["manifest"], made["files"], made["rows"]) == (
        "marketing/fans/as_of=2026-01-05/rev=1/manifest.json",
        6,
        1,
    )


def test_latest_manifest_takes_the_highest_revision_before_a_day(company):
    company.welcome("u1", *(f"v{number}" for number in range(12)))
    for number in range(11):
        company.fill(D1, ("u1",), (f"v{number}",))
        company.deliver(D1)
    company.deliver(D3)
    segment = company.segment()
    assert latest_manifest(company.storage, segment).manifest.as_of == D3
    assert latest_manifest(company.storage, segment, before=D3).manifest.revision == 11
    assert latest_manifest(company.storage, segment, before=D1) is None


def test_an_edited_earlier_delivery_is_refused(company):
    company.welcome("u1")
    company.fill(D1, ("u1",))
    first = company.deliver(D1)
    for name in ("full.csv", "full.parquet"):
        company.storage.write_bytes(f"{first.published.folder}/{name}", b"user_id\nu2\n")
    with pytest.raises(ContractError, match="is not the file that its manifest names"):
        company.deliver(D2)
    edited = json.loads(company.read(first, MANIFEST)) | {"revision": 7}
    company.storage.write_bytes(f"{first.published.folder}/{MANIFEST}", json.dumps(edited).encode())
    with pytest.raises(ContractError, match="another delivery"):
        company.deliver(D2)


def test_what_cannot_be_delivered_says_why(company):
    company.welcome("u1")
    company.fill(D1, ("u1",))
    with pytest.raises(ConfigError, match="no column shoe_size"):
        company.deliver(D1, columns=["user_id", "shoe_size"])
    with pytest.raises(ConfigError, match="no boolean column"):
        company.deliver(D1, consent="tier")
    with pytest.raises(ConfigError, match="landed days run from 2026-01-05 to 2026-01-09"):
        company.deliver(D1 + timedelta(days=5))
    company.fill(D1, ("u1",), ("u1",))
    with pytest.raises(ContractError, match="1 rows"):
        company.deliver(D1)
    company.connection.execute("drop view segments.fans")
    with pytest.raises(ConfigError, match=r"segments\.fans does not exist"):
        company.deliver(D1)
    assert company.published() == []
