"""Retention: old landings lose what is personal, superseded ones go, and nothing that was built from them changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from regulars.contracts import Contract
from regulars.landing import land
from regulars.manifest import committed_manifests
from regulars.retention import retire
from regulars.run import Run
from regulars.run_days import BuildDays, days_to_build, remember_built
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource
from regulars.stages import Stage
from regulars.storage import FolderStorage
from regulars.warehouse import open_warehouse

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 20, 6)
MEMBERS = Contract(
    source="crm", table="members", description="Members.", mode="snapshot", key=("member_id",), owner="crm",
    columns=[
        {"name": "member_id", "data_type": "varchar", "description": "Key.", "required": True},
        {"name": "email", "data_type": "varchar", "description": "Address.", "pii": "email"},
        {"name": "points", "data_type": "bigint", "description": "Points.", "min": 0},
    ],
)  # fmt: skip
SAFE = "select member_id, email_hash, points, _record_number, _as_of from raw.members order by all"
MARTS = Stage("loyalty", ("members",), (), ())


def run_on(day: date) -> Run:
    return Run(f"run-{day}", "ingest", day, NOW)


def test_retention_empties_what_is_personal_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"landing_retention_days": 7})
    sources = Sources(
        connections={"crm": Connection(kind="files", path=str(tmp_path))},
        tables={"members": TableSource.model_validate({"from": "crm", "path": "members-{as_of}.csv"})},
    )
    storage = FolderStorage(settings.home_dir / "landing")
    days = [DAY, DAY + timedelta(days=14)]

    def deliver(day: date, points: int, refresh: bool = False) -> None:
        text = f"member_id,email,points\nm1,canary-one@example.com,{points}\nm2,canary-two@example.com,7\nm3,canary-three@example.com,-1\n"
        (tmp_path / f"members-{day}.csv").write_text(text)
        landed = land(MEMBERS, sources, settings, run_on(day), refresh=refresh)
        warehouse.load(MEMBERS, [landed.manifest], run_on(day), NOW)

    with open_warehouse(settings) as warehouse:
        warehouse.prepare({"members": MEMBERS})
        deliver(days[0], 1)
        deliver(days[0], 5, refresh=True)
        deliver(days[1], 6)
        remember_built(warehouse, MARTS)
        effective = "where _batch_id in (select batch_id from ops.effective_batches)"
        before = warehouse.query(SAFE.replace("order by", f"{effective} order by"))

        done = retire(warehouse, {"members": MEMBERS}, settings, run_on(days[1]), NOW)
        assert [(one.as_of, len(one.removed), one.emptied) for one in done] == [(days[0], 2, True)]

        assert warehouse.query(SAFE) == before
        assert warehouse.query("select _as_of, count(email) from raw.members group by all order by all") == [
            (days[0], 0),
            (days[1], 2),
        ]
        assert warehouse.query("select as_of, count(raw), count(*) from quarantine.rows group by all order by all") == [
            (days[0], 0, 1), (days[1], 1, 1),
        ]  # fmt: skip
        assert days_to_build(warehouse, MARTS, days[1], chunk_days=7) == [BuildDays(days[1], days[1])], (
            "nothing to build again"
        )
        assert retire(warehouse, {"members": MEMBERS}, settings, run_on(days[1]), NOW) == [], "once is enough"
        assert warehouse.query("select count(*) from ops.ingestion_logs where status = 'removed'") == [(2,)]

    manifests = committed_manifests(storage, "members", skip=set())
    assert [(found.as_of, found.revision, found.rows_read) for found in manifests] == [(days[0], 3, 3), (days[1], 1, 3)]
    left = b"".join(
        path.read_bytes()
        for path in (settings.home_dir / "landing" / "members" / f"as_of={days[0]}").rglob("*")
        if path.is_file()
    )
    assert b"canary" not in left


def test_without_a_setting_landings_stay(settings: Settings, tmp_path: Path) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.prepare({"members": MEMBERS})
        assert retire(warehouse, {"members": MEMBERS}, settings, run_on(DAY), NOW) == []
