"""Whatever becomes of the files, the account or the run: nothing half, nothing twice, and words to act on."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stage_files
from breaking import Fault, broken
from snowflake_sql import RULES, faults, quoted_names
from staging import BUCKET, DAY, Lake, contract, statements

from regulars.contracts import read_contracts
from regulars.errors import ConfigError, ContractError, RegularsError, SourceError, TransientError
from regulars.landing import land
from regulars.manifest import committed_manifests
from regulars.quality.quarantine import replay
from regulars.settings import Settings
from regulars.staged.plan import plan_staged
from regulars.storage import open_storage
from regulars.warehouse import open_warehouse
from tasks.context import RunContext
from tasks.land import land_table
from tasks.load import load_table

pytestmark = pytest.mark.parity
NEXT = DAY.replace(day=DAY.day + 1)


@pytest.fixture
def lake(on_s3: Settings) -> Iterator[Lake]:
    access = on_s3.snowflake.model_copy(update={"network_timeout_seconds": 2, "login_timeout_seconds": 2})
    found = Lake(on_s3.model_copy(update={"snowflake": access}))
    found.put(f"{DAY}/a.csv.gz", "id,name\n1,a\n2,b\n")
    found.put(f"{DAY}/b.csv.gz", "id,name\n3,c\nx,d\n")
    with statements():
        yield found


def scratch(settings: Settings) -> list[Any]:
    with open_warehouse(settings) as warehouse:
        return warehouse.query(
            "select table_name from information_schema.tables where startswith(table_name, '_STAGE')"
        )


def landed(lake: Lake) -> list[Any]:
    return committed_manifests(open_storage(lake.settings.landing_root, lake.settings.s3), "clicks", set())


def test_the_manifest_pins_the_files_and_a_second_landing_is_the_first(lake: Lake) -> None:
    first = lake.staged()
    again, asked = lake.staged(), lake.staged(refresh=True)
    assert first.created and not again.created and not asked.created
    assert again.manifest == asked.manifest == first.manifest and scratch(lake.settings) == []
    objects = {item["Key"]: item for item in stage_files.s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert first.manifest.position["pieces"] == [
        {"file": f"{DAY}/{name}", "bytes": objects[f"exports/clicks/{DAY}/{name}"]["Size"], "etag": objects[f"exports/clicks/{DAY}/{name}"]["ETag"].strip('"')}
        for name in ("a.csv.gz", "b.csv.gz")
    ]  # fmt: skip
    lake.put(f"{DAY}/b.csv.gz", "id,name\n3,c\n4,d\n")
    revised = lake.staged(refresh=True)
    assert revised.created and revised.manifest.revision == 2 and revised.manifest.rows_loaded == 4


def test_a_landed_batch_is_loaded_as_any_other(lake: Lake) -> None:
    """Several files of Snowflake's, a key that is gone, and the quarantine."""
    lake.put(f"{DAY}/c.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(10, 30)))
    manifest = lake.staged().manifest
    assert len(manifest.parts) > 1 and manifest.rows_loaded == 23
    with open_warehouse(lake.settings) as warehouse:
        warehouse.prepare({"clicks": lake.table})
        warehouse.load(lake.table, [manifest], lake.run(), lake.run().started_at)
        assert warehouse.query("select count(*), min(id), max(_record_number) from raw.clicks") == [(23, 1, 20)]
        assert warehouse.query('select source, record_number, rule, raw from quarantine."ROWS"') == [
            (f"{DAY}/b.csv.gz", 2, "type", '{"id":"x","name":"d"}')
        ]


def test_guards_see_keys_that_are_gone(lake: Lake) -> None:
    """Also of days that a killed run landed and never loaded."""
    for day in range(6, 9):
        lake.put(f"2026-01-0{day}/a.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(10)))
        assert lake.staged(DAY.replace(day=day)).manifest.is_accepted
    lake.put("2026-01-09/a.csv", "id,name\n" + "".join(f"{n},x\n" for n in range(3, 13)))
    blocked = lake.staged(DAY.replace(day=9)).manifest
    assert not blocked.is_accepted and blocked.verdict.keys_gone_pct == 30.0
    assert lake.staged(DAY.replace(day=9), accept=True).manifest.verdict.status == "overridden"


@pytest.mark.parametrize("change", ["other bytes", "one more", "one less"])
def test_a_file_that_changes_while_it_is_read(lake: Lake, change: str) -> None:
    def act() -> None:
        if change == "one less":
            stage_files.s3.delete_object(Bucket=BUCKET, Key=f"exports/clicks/{DAY}/b.csv.gz")
        else:
            lake.put(f"{DAY}/{'a' if change == 'other bytes' else 'c'}.csv.gz", "id,name\n9,z\n")

    struck = "^select column_name" if change != "one less" else "^insert into raw"
    with broken(Fault(struck, "call", times=1, action=act)), pytest.raises(TransientError, match="changed while"):
        lake.staged()
    assert landed(lake) == [] and scratch(lake.settings) == []
    lake.same()


@pytest.mark.parametrize(
    "at", ["^copy into raw", "^create or replace transient table .*TYPED", "^copy into '@raw.landing"]
)
@pytest.mark.parametrize("kind", ["lose", "lose_answer"])
def test_a_run_that_is_cut_off_lands_the_same_later(lake: Lake, at: str, kind: Any) -> None:
    with broken(Fault(at, kind, times=100)), pytest.raises(TransientError):
        lake.staged()
    assert landed(lake) == []
    lake.same()
    assert scratch(lake.settings) == [] and len(landed(lake)) == 1


def test_what_a_killed_run_left_is_removed(lake: Lake) -> None:
    with open_warehouse(lake.settings) as warehouse:
        warehouse.prepare({"clicks": lake.table})
        warehouse.execute('create transient table raw."_STAGE$CLICKS$TEXT7" (a varchar)')
        warehouse.execute('create transient table raw."_STAGE$CLICKS$TYPED" (a varchar)')
    storage = open_storage(lake.settings.landing_root, lake.settings.s3)
    storage.write_bytes(f"clicks/as_of={DAY}/0123/part-_0_0_0.snappy.parquet", b"half")
    lake.same()
    assert scratch(lake.settings) == [] and storage.names(f"clicks/as_of={DAY}/0123") == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Failed to list: SlowDown, please reduce your request rate", TransientError),
        ("Remote service answered 503 Service Unavailable", TransientError),
        ("Failure using stage area. Cause: Access Denied (Status Code: 403)", ConfigError),
    ],
)
@pytest.mark.parametrize("at", ["^list ", "^copy into raw", "^copy into '@raw.landing"])
def test_what_s3_refuses_snowflake(lake: Lake, at: str, words: str, kind: type[RegularsError]) -> None:
    with broken(Fault(at, "refuse", 91003, words)), pytest.raises(RegularsError) as refused:
        lake.staged()
    assert type(refused.value) is kind and "clicks" in refused.value.message and refused.value.remedy
    assert landed(lake) == [] and scratch(lake.settings) == []


def test_hostile_names_of_files_and_columns_stay_data(lake: Lake) -> None:
    lake.table = contract({"id": "bigint", "name": "varchar"}, on_drift="evolve")
    for n, name in enumerate(
        ["it's.csv", "back\\slash.csv", "'); drop table raw.x; --.csv", "tab\t.csv", "ü €.csv", 'q"q.csv']
    ):
        lake.put(f"{DAY}/{name}", f'id,name,"a""b","c d\\"\n{100 + n},\\x,1,2\nx{n},y,1,2\n')
    _, good, bad = lake.same(path="{as_of}/*.csv*")
    assert len(good) == 3 + 6 and len({row[0] for row in bad}) == 7


def test_expressions_are_snowflakes(lake: Lake) -> None:
    entry = {
        "columns": {"id": "iff(startswith(id, 'x'), '0', id)", "name": "upper(trim(name, ' '))"},
        "where": "id <> '1'",
    }
    staged = lake.staged(**entry).manifest
    assert [row[:2] for row in lake.rows(staged)[0]] == [(0, "D"), (2, "B"), (3, "C")] and staged.rows_filtered == 1


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"columns": {"id": "(select 1)"}}, "columns.id"),
    ({"columns": {"id": "1; drop table raw.clicks"}}, "columns.id"),
    ({"columns": {"id": "count(*)"}}, "columns.id"),
    ({"columns": {"id": "current_timestamp()"}}, "columns.id"),
    ({"where": "exists (select 1)"}, "where"),
    ({"columns": {"id": "no_such_function(id"}}, "columns.id"),
    ({"path": "{as_of}/*.parquet"}, "is parquet"),
    ({"path": "{as_of}/*.json"}, "is json"),
    ({"path": "{as_of}/**/*.csv"}, "path"),
    ({"read": {"skip": 2}}, "read.skip"),
    ({"read": {"header": False, "names": ["id", "name"]}}, "read.header"),
    ({"read": {"null_values": ["NA"]}}, "read.null_values"),
    ({"read": {"escape": "\\"}}, "read.escape"),
    ({"read": {"encoding": "cp037"}}, "read.encoding"),
    ({"read": {"quote": "|"}}, "read.quote"),
    ({"read": {"timezone": "Europe/Berlin"}}, "read.timezone"),
    ({"read": {"date_format": "%d.%m.%y"}}, "date_format"),
    ({"read": {"timestamp_format": "%d %b %Y"}}, "timestamp_format"),
    ({"query": "select 1", "files": {}}, "query"),
]  # fmt: skip


def test_what_this_way_cannot_do_is_refused_before_anything_is_read(lake: Lake) -> None:
    lake.put(f"{DAY}/x.parquet", "PAR1")
    lake.put(f"{DAY}/x.json", "[]")
    with statements() as made:
        for entry, place in REFUSED:
            with pytest.raises(ConfigError) as refused:
                lake.staged(**entry)
            assert place in refused.value.message and refused.value.remedy, entry
    assert made and not any(text.startswith("copy into raw") for text in made)
    lake.table = contract({"id": "bigint", "mail": {"data_type": "varchar", "pii": "email"}})
    with pytest.raises(ConfigError, match="mail"):
        lake.staged()


def test_settings_that_are_missing(lake: Lake) -> None:
    given = lake.settings
    for changed, word in (
        ({"landing_url": None}, "LANDING_URL"),
        ({"snowflake": given.snowflake.model_copy(update={"storage_integration": None})}, "STORAGE_INTEGRATION"),
        ({"warehouse": "duckdb"}, "WAREHOUSE"),
        ({"s3": given.s3.model_copy(update={"encryption": "AES256"})}, "ENCRYPTION"),
    ):
        with pytest.raises(ConfigError, match=word):
            plan_staged(lake.table, lake.sources("stage"), given.model_copy(update=changed), DAY)


def test_the_plan_lists_and_reads_nothing(lake: Lake) -> None:
    with statements() as made:
        plan = plan_staged(lake.table, lake.sources("stage"), lake.settings, DAY)
    assert [(item["file"], item["via"]) for item in plan] == [
        (f"{DAY}/a.csv.gz", "stage"),
        (f"{DAY}/b.csv.gz", "stage"),
    ]
    assert made and not any(text.startswith("copy") for text in made)
    with pytest.raises(SourceError, match="no file"):
        plan_staged(lake.table, lake.sources("stage"), lake.settings, NEXT)


def test_an_empty_file_and_a_failing_expression_have_words(lake: Lake) -> None:
    with pytest.raises(ContractError, match="TRY_"):
        lake.staged(columns={"id": "to_number(id)", "name": "name"})
    stage_files.s3.put_object(Bucket=BUCKET, Key=f"exports/clicks/{DAY}/c.csv", Body=b"")
    with pytest.raises(ContractError, match="is empty"):
        lake.staged()


def test_every_statement_of_a_landing_is_snowflakes(lake: Lake) -> None:
    """Names of a file's columns are in quotes as the file writes them; every other rule holds."""
    lake.table = contract(
        {"id": "bigint", "name": "varchar", "at": "timestamp", "on": "date", "n": "double", "is_on": "boolean"},
        on_drift="evolve",
    )
    with statements() as sent:
        lake.staged(read={"timestamp_format": "%d.%m.%Y %H:%M:%S", "thousands": "'"})
        lake.put(f"{DAY}/a.ndjson", '{"id": 1}\n{"ID": 2}\n')
        lake.staged(refresh=True, path="{as_of}/*.ndjson")
    made = [text for text in sent if "stage" in text.lower()]
    assert len(made) > 20
    kept = [rule for rule in RULES if rule is not quoted_names]
    assert {text[:80]: faults(text, kept) for text in made if faults(text, kept)} == {}


def test_the_task_goes_by_the_stage_and_a_replay_by_a_worker(lake: Lake) -> None:
    """What a flow does: land, load, and after a mended contract replay; expressions are not a worker's to read."""
    contracts, sources = {"clicks": lake.table}, lake.sources("stage")
    of_project = read_contracts(lake.settings.dbt_project_dir / "models" / "staging")
    context = RunContext(lake.settings, lake.run(), of_project | contracts, sources, ("clicks",))
    with context.warehouse as warehouse:
        warehouse.prepare(contracts)
        landed_batch = land_table.fn(context, "clicks", refresh=False, accept=False)
        assert landed_batch.created and landed_batch.manifest.rows_quarantined == 1
        assert load_table.fn(context, "clicks").new == (landed_batch.manifest,)
        assert warehouse.query("select count(*) from raw.clicks") == [(3,)]
    lake.table = contract({"id": "varchar", "name": "varchar"})
    replayed = replay(lake.table, sources, lake.settings, lake.run(), DAY)
    assert replayed is not None and replayed.manifest.rows_loaded == 1 and replayed.manifest.scope == "add"
    with pytest.raises(ConfigError, match="expressions"):
        replay(lake.table, lake.sources("stage", columns={"id": "lower(id)"}), lake.settings, lake.run(), DAY)
    with pytest.raises(ConfigError, match=r"tables\.clicks\.via"):
        land(
            lake.table,
            sources,
            lake.settings.model_copy(update={"warehouse": "duckdb", "landing_url": None}),
            lake.run(),
        )


def test_surplus_fields_that_are_empty_are_one_too_many_for_snowflake(lake: Lake) -> None:
    """A worker takes such a record; here it is kept in quarantine: docs/sources.md says so."""
    lake.put(f"{DAY}/b.csv.gz", "id,name\n3,c,\n4,d\n")
    staged, ordinary = lake.staged().manifest, lake.ordinary()
    assert (staged.rows_loaded, staged.rows_quarantined, ordinary.rows_loaded) == (3, 1, 4)
    assert lake.rows(staged)[1] == [
        (f"{DAY}/b.csv.gz", 1, "malformed", "too many fields: expected 2, found more", "3,c,")
    ]


@pytest.mark.parametrize(
    "at", ["^insert into raw", "^create or replace transient table .*TYPED", "^copy into '@raw.landing.*rejects"]
)
def test_a_process_that_is_killed_between_copy_and_manifest(lake: Lake, at: str, tmp_path: Path) -> None:
    """SIGKILL while a statement is under way; the session that is left Snowflake ends after minutes, the test at once."""
    from fakesnow.server import sessions  # by now the emulator has the function of that name, which the module hides

    arguments = tmp_path / "arguments"
    arguments.write_bytes(pickle.dumps((lake.settings, lake.table, lake.sources("stage"), lake.run())))
    before = set(sessions)
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("staged_child.py")), str(arguments)], stdout=subprocess.PIPE
    )
    with broken(Fault(at, "call", times=1, action=child.kill)):
        assert child.wait(120) == -signal.SIGKILL
    child.stdout.close()
    for token in set(sessions) - before:
        sessions.pop(token)._duck_conn.close()
    assert landed(lake) == [] and scratch(lake.settings) != []
    lake.same()
    assert scratch(lake.settings) == [] and len(landed(lake)) == 1


def test_personal_text_is_shown_in_no_reason(lake: Lake) -> None:
    """Columns without a pseudonym are landed; what Snowflake says of a record may quote it, and is not repeated."""
    note = {"data_type": "varchar", "pii": "free_text", "enum": ["fine"]}
    lake.table = contract({"id": "bigint", "name": note})
    lake.put(f"{DAY}/b.csv.gz", "id,name\n3,fine\n4,secret\n5\n")
    lake.same()
    lake.put(f"{DAY}/c.csv.gz", 'id,name\n6,fine\n7,"se"cret"\n')
    bad = lake.rows(lake.staged(refresh=True).manifest)[1]
    assert len(bad) == 5 and not any("cret" in reason for *_, reason, _ in bad)
    assert (f"{DAY}/c.csv.gz", 2, "malformed", "cannot be taken apart", '7,"se"cret"') in bad
