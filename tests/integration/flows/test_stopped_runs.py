"""What stops a run, and what it leaves as it was: gates, guards, missing sources, wrong settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from flows.ingest import ingest
from flows.loyalty import daily_loyalty_merge
from regulars.errors import ConfigError, GateBlocked, GuardBlocked
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
