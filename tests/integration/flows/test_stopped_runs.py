"""What stops a run, and what it leaves as it was: gates, guards, missing sources, wrong settings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.ingest import ingest
from flows.loyalty import daily_loyalty_merge
from regulars.errors import ConfigError, EngineError, GateBlocked, GuardBlocked
from regulars.warehouse.duckdb_publish import read_published

DAYS = [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)]
Enter = Callable[[str], Path]


def test_a_blocked_gate_changes_nothing_that_is_published(
    world: Enter, sample_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = world("blocked")
    daily_loyalty_merge(DAYS[0])
    published = (home / "published.duckdb").read_bytes()
    deliveries = sorted(path for path in (home / "deliveries").rglob("*") if path.is_file())
    broken = tmp_path / "broken"
    shutil.copytree(sample_files, broken)
    thresholds = broken / "region_thresholds" / f"{DAYS[1]}.csv"
    header, *rows = thresholds.read_text().splitlines()
    swapped = [",".join([row.split(",")[0], *reversed(row.split(",")[1:])]) for row in rows]
    thresholds.write_text("\n".join([header, *swapped]) + "\n")
    sources = tmp_path / "sources.yml"
    sources.write_text(sources.read_text().replace(str(sample_files), str(broken)))

    with pytest.raises(GateBlocked, match="region_thresholds") as caught:
        daily_loyalty_merge(DAYS[1])
    assert "What to do" in str(caught.value)
    assert (home / "published.duckdb").read_bytes() == published
    assert sorted(path for path in (home / "deliveries").rglob("*") if path.is_file()) == deliveries

    with pytest.raises(GateBlocked, match=str(DAYS[1])):
        daily_loyalty_merge(DAYS[2])  # a blocked day is not built with the next one
    assert (home / "published.duckdb").read_bytes() == published

    daily_loyalty_merge(DAYS[2], fail_on_block=False)
    with read_published(home / "published.duckdb") as reader:
        assert reader.query("select max(snapshot_date) from marts.loyalty_master") == [(DAYS[2],)]


@pytest.mark.whole
def test_a_shrunken_snapshot_is_kept_out_and_taken_when_told(world: Enter, sample_files: Path, tmp_path: Path) -> None:
    home = world("shrunken")
    daily_loyalty_merge(DAYS[0])
    small = tmp_path / "small"
    shutil.copytree(sample_files, small)
    profile = small / "user_profile" / f"{DAYS[1]}.csv"
    profile.write_text("".join(profile.read_text().splitlines(keepends=True)[:1]))
    sources = tmp_path / "sources.yml"
    whole = sources.read_text()
    sources.write_text(whole.replace(str(sample_files), str(small)))
    with pytest.raises(GuardBlocked, match="user_profile"):
        ingest(DAYS[1])
    sources.write_text(whole)
    loaded = ingest(DAYS[1])
    assert {batch.table for batch in loaded if batch.new} >= {"user_profile"}
    with read_published(home / "published.duckdb") as reader:
        assert reader.query("select max(snapshot_date) from marts.loyalty_master") == [(DAYS[0],)]


@pytest.mark.whole
def test_a_source_that_is_not_required_may_be_missing(world: Enter, tmp_path: Path) -> None:
    home = world("missing")
    sources = tmp_path / "sources.yml"
    text = sources.read_text()
    sources.write_text(
        text.replace("path: support_chats/{as_of}.csv", "path: support_chats/none-{as_of}.csv\n    required: false")
    )
    daily_loyalty_merge(DAYS[0])
    with read_published(home / "published.duckdb") as reader:
        assert reader.query("select status, is_required from ops.freshness where table_name = 'support_chats'") == [
            ("never", False)
        ]
        ((missing,),) = reader.query("select distinct sources_missing from marts.loyalty_master")
        assert missing == "support_chats"
    sources.write_text(text.replace("path: support_chats/{as_of}.csv", "path: support_chats/none-{as_of}.csv"))
    with pytest.raises(Exception, match=r"support_chats"):
        daily_loyalty_merge(DAYS[1])


def test_wrong_settings_are_said_before_anything_is_read(
    world: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = world("wrong")
    monkeypatch.setenv("REGULARS_SOURCES", str(tmp_path / "nowhere.yml"))
    with pytest.raises(ConfigError, match=r"nowhere\.yml does not exist"):
        daily_loyalty_merge(DAYS[0])
    assert not (home / "landing").exists()


@pytest.mark.whole
def test_what_a_stopped_run_has_proven_is_not_proven_again(
    world: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow_tools: tuple[Any, ...]
) -> None:
    opened, *_ = flow_tools
    home = world("carried-on")
    monkeypatch.setenv("REGULARS_DELIVERY_URL", str(tmp_path / "no-folder"))
    (tmp_path / "no-folder").write_text("a file stands where deliveries are to go")
    with pytest.raises(EngineError, match=r"deliver highly_engaged: Not a directory: .*no-folder"):
        daily_loyalty_merge(DAYS[0])
    (tmp_path / "no-folder").unlink()
    daily_loyalty_merge(DAYS[0])
    daily_loyalty_merge(DAYS[0])
    with opened(home) as warehouse:
        stopped, carried_on, again = [
            run for (run,) in warehouse.query("select run_id from ops.runs order by started_at")
        ]
        judged = {run: warehouse.query(CHECKS, [run]) for run in (stopped, carried_on, again)}
        assert warehouse.query("select * from ops.proofs") == []
    assert len(judged[stopped]) > 150
    assert {found_by for *_, found_by in judged[stopped]} == {None}
    assert [check[:-1] for check in judged[carried_on]] == [check[:-1] for check in judged[stopped]]
    clean = {(layer, table) for layer, table, *_ in judged[stopped]} - {
        (layer, table) for layer, table, _, status, _ in judged[stopped] if status in ("failed", "error")
    }
    for layer, table, *_, found_by in judged[carried_on]:
        assert found_by == (stopped if (layer, table) in clean else None), (layer, table)
    assert ("marts", "membership") in clean
    assert {found_by for *_, found_by in judged[again]} == {None}, "a run that ended well ends what was known"
    tests = "select count(*) from ops.dq_check_logs where kind = 'dbt' and run_id = ?"
    with opened(home) as warehouse:
        counted = {run: warehouse.query(tests, [run])[0][0] for run in (stopped, carried_on, again)}
    assert counted[stopped] == counted[again] > 10
    assert counted[carried_on] == 0
    steps = [json.loads(line) for line in (home / "logs" / "ingestion.log").read_text().splitlines()]
    published = [step["status"] for step in steps if step["stage"] == "publish" and step["run_id"] == carried_on]
    assert published == ["known", "done"], "the marts were published, the segments were not"


CHECKS = """
select layer, table_name, check_name, status, json_extract_string(details, '$.found_by_run')
from ops.dq_check_logs
where kind = 'gate' and run_id = ?
order by all
"""


@pytest.mark.whole
def test_what_was_proven_does_not_hold_over_other_rows(
    world: Enter, sample_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flow_tools: tuple[Any, ...]
) -> None:
    opened, *_ = flow_tools
    home = world("changed-since")
    monkeypatch.setenv("REGULARS_DELIVERY_URL", str(tmp_path / "no-folder"))
    (tmp_path / "no-folder").write_text("a file stands where deliveries are to go")
    with pytest.raises(EngineError):
        daily_loyalty_merge(DAYS[0])
    changed = tmp_path / "changed"
    shutil.copytree(sample_files, changed)
    activity = changed / "user_activity" / f"{DAYS[0]}.csv"
    lines = activity.read_text().splitlines()
    activity.write_text("\n".join(lines[:-1]) + "\n")
    sources = tmp_path / "sources.yml"
    sources.write_text(sources.read_text().replace(str(sample_files), str(changed)))
    with pytest.raises(EngineError):
        daily_loyalty_merge(DAYS[0], refresh=True)
    with opened(home) as warehouse:
        _, second = [run for (run,) in warehouse.query("select run_id from ops.runs order by started_at")]
        repeated = {(layer, table) for layer, table, *_, found_by in warehouse.query(CHECKS, [second]) if found_by}
    assert repeated == set(), "rules of one table may look at another, so another batch ends what was known of all"
