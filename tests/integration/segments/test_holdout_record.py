"""The record of the hold-out: whom deliveries leave out is whom models compare, whatever order days are run in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from regulars.errors import ConfigError
from regulars.ledger import OPS_TABLES
from regulars.segments.holdout import is_held_out, record_holdouts
from regulars.segments.unload import DuckDBDialect, DuckDBUnloader

FIRST = date(2026, 1, 5)
USERS = [f"u{n:03d}" for n in range(300)]


@pytest.fixture
def recorded(company: Any) -> Callable[..., tuple[date, set[str]]]:
    """`recorded(day, pct, newest)` records as a run of that day does, and gives what stands: first day and members held out."""
    company.welcome(*USERS)
    for table in ("holdouts", "holdout_members"):
        columns = ", ".join(f"{name} {kind}" for name, kind in OPS_TABLES[table])
        company.connection.execute(f"create table ops.{table} ({columns})")

    def record(day: date, pct: float, newest: date | None = None) -> tuple[date, set[str]]:
        key = company.settings.pseudonym_secret()
        with DuckDBUnloader(company.connection) as engine:
            segments = [company.segment(holdout_pct=pct)]
            record_holdouts(segments, engine=engine, sql=DuckDBDialect(), key=key, as_of=day, newest_day=newest or day)
            ((since, share),) = engine.query("select since, holdout_pct from ops.holdouts where segment = 'fans'")
            chosen = [user for (user,) in engine.query("select user_id from ops.holdout_members")]
        assert float(share) == pct and len(chosen) == len(set(chosen))
        return since, set(chosen)

    return record


def test_models_know_whom_deliveries_leave_out(company: Any, recorded: Callable[..., tuple[date, set[str]]]) -> None:
    company.fill(FIRST, *[(user, "gold") for user in USERS])
    _, chosen = recorded(FIRST, 25)
    assert chosen == {user for user in USERS if is_held_out(b"test key", "fans", user, 25)}
    assert set(company.users(company.deliver(FIRST, holdout_pct=25))) == set(USERS) - chosen
    assert recorded(FIRST, 0)[1] == set()


def test_the_hold_out_holds_since_the_first_day_delivered_under_its_share(
    recorded: Callable[..., tuple[date, set[str]]],
) -> None:
    second, third, fourth = (FIRST + timedelta(days=n) for n in (1, 2, 3))
    since, chosen = recorded(third, 10)
    assert since == third
    assert recorded(FIRST, 10) == (FIRST, chosen), "days run in another order"
    assert recorded(fourth, 10) == (FIRST, chosen)
    since, more = recorded(fourth, 20)
    assert since == fourth and chosen < more
    assert recorded(second, 5, newest=fourth)[0] == fourth, (
        "a past day that is run again under a new share begins nothing in the past"
    )


def test_who_is_erased_is_forgotten(company: Any, recorded: Callable[..., tuple[date, set[str]]]) -> None:
    _, chosen = recorded(FIRST, 50)
    gone = min(chosen)
    company.connection.execute("delete from marts.loyalty_history where user_id = ?", [gone])
    assert recorded(FIRST, 50)[1] == chosen - {gone}


def test_without_history_it_says_what_to_build(company: Any, recorded: Callable[..., tuple[date, set[str]]]) -> None:
    company.connection.execute("drop table marts.loyalty_history")
    with pytest.raises(ConfigError, match="loyalty_history does not exist"):
        recorded(FIRST, 5)
