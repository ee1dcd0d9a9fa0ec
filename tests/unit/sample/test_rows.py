"""The rows of a sample: equal on any thread count, of plausible size and shape, inside their day."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from regulars.contracts import resolve_bound
from regulars.errors import ConfigError
from regulars.sample import TABLES, SampleSpec, write_sample
from regulars.sample.draws import sample_engine
from regulars.sample.tables import day_rows, sample_contracts

SPEC = SampleSpec(users=20_000, days=90, faults=False)
SMALL = SampleSpec(users=600, days=2)


@pytest.fixture(scope="module")
def tables() -> duckdb.DuckDBPyConnection:
    """Tables `<table>_<day>` for days 0, 1, 2, 4 and 60 of the profile, 4 and 60 of everything else."""
    engine = sample_engine()
    for table in TABLES:
        for day in (0, 1, 2, 4, 60) if table == "user_profile" else (4, 60):
            engine.execute(f"create table {table}_{day} as {day_rows(SPEC, table, day)}")
    return engine


def numbers(engine: duckdb.DuckDBPyConnection, query: str) -> tuple[float, ...]:
    return engine.execute(query).fetchall()[0]


def test_equal_files_on_any_number_of_threads(tmp_path: Path) -> None:
    big_enough_to_split = SampleSpec(users=150_000, days=2)
    tables = ["user_profile", "user_activity", "issue_tickets"]
    for threads in (1, 2):
        out = tmp_path / str(threads)
        write_sample(SampleSpec(users=600, days=1), out / "small", threads=threads)
        engine = sample_engine(threads)
        for table in tables:
            engine.execute(f"copy ({day_rows(big_enough_to_split, table, 1)}) to '{out}/{table}.csv'")
    first, second = (sorted(path for path in (tmp_path / n).rglob("*") if path.is_file()) for n in ("1", "2"))
    assert [path.relative_to(tmp_path / "1") for path in first] == [path.relative_to(tmp_path / "2") for path in second]
    assert len(first) == 3 + 13 + 1  # big files, one day, planted.json
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))


def test_another_seed_gives_other_rows() -> None:
    engine = sample_engine()
    one, other = (SampleSpec(users=600, seed=seed, faults=False) for seed in (1, 2))
    both = (
        f"select count(*) from (({day_rows(one, 'user_profile', 0)}) intersect ({day_rows(other, 'user_profile', 0)}))"
    )
    assert numbers(engine, both) == (0,)


def test_days_ahead_do_not_change_rows() -> None:
    longer = SampleSpec(users=SMALL.users, days=60)
    engine = sample_engine()
    for table in ("user_activity", "feature_adoption", "region_metadata"):
        assert (
            engine.execute(day_rows(SMALL, table, 0)).fetchall()
            == engine.execute(day_rows(longer, table, 0)).fetchall()
        )


def test_about_one_percent_of_profiles_change_a_day(tables: duckdb.DuckDBPyConnection) -> None:
    for before, after in ((0, 1), (1, 2)):
        [share] = numbers(
            tables,
            f"""
            select avg((a <> b)::int) from user_profile_{before} a join user_profile_{after} b using (user_id)""",
        )
        assert 0.006 < share < 0.016


def test_users_join_leave_and_return(tables: duckdb.DuckDBPyConnection) -> None:
    joined, left = numbers(
        tables,
        """
        select (select count(*) from user_profile_1 a anti join user_profile_0 b using (user_id)),
            (select count(*) from user_profile_0 a anti join user_profile_1 b using (user_id))""",
    )
    assert joined == 20
    assert 5 <= left <= 35
    [returned] = numbers(
        tables,
        """
        select count(*) from user_profile_60 semi join user_profile_0 using (user_id)
        anti join user_profile_4 using (user_id)""",
    )
    assert returned > 0


def test_tables_have_plausible_sizes(tables: duckdb.DuckDBPyConnection) -> None:
    expected = {
        "user_activity": (0.5, 1.5), "engagement_score": (0.13, 0.155), "feature_adoption": (0.1, 0.5),
        "retention_action": (0.003, 0.012), "support_calls": (0.007, 0.013), "support_chats": (0.01, 0.018),
        "issue_tickets": (0.01, 0.04), "service_requests": (0.008, 0.03), "product_support_usage": (0.035, 0.055),
        "repeat_engagements": (0.018, 0.032),
    }  # fmt: skip
    for table, (low, high) in expected.items():
        [rows] = numbers(tables, f"select count(*) from {table}_4")
        assert low < rows / SPEC.users < high, table


def test_activity_is_skewed_and_scores_follow_it(tables: duckdb.DuckDBPyConnection) -> None:
    [top_tenth] = numbers(
        tables,
        """
        select sum(n) filter (where rank <= 2000) / sum(n)
        from (
            select count(*) as n, row_number() over (order by count(*) desc) as rank
            from user_activity_4 group by user_id)""",
    )
    assert top_tenth > 0.35
    [agreement] = numbers(
        tables,
        """
        select corr(engagement_score::double, n) from engagement_score_4
        join (select user_id, count(*) as n from user_activity_4 group by user_id) using (user_id)""",
    )
    assert agreement > 0.2


def test_thresholds_cut_off_a_sensible_share(tables: duckdb.DuckDBPyConnection) -> None:
    high, low = numbers(
        tables,
        """
        select avg((s.engagement_score::double >= high_engagement_score::double)::int),
            avg((s.engagement_score::double <= low_engagement_score::double)::int)
        from engagement_score_4 s join user_profile_4 using (user_id) join region_thresholds_4 using (region_code)""",
    )
    assert 0.15 < high < 0.25
    assert 0.10 < low < 0.20


def test_feature_adoption_grows(tables: duckdb.DuckDBPyConnection) -> None:
    early, later = numbers(
        tables, "select (select count(*) from feature_adoption_4), (select count(*) from feature_adoption_60)"
    )
    assert later > early * 1.05


@pytest.mark.parametrize("table", list(TABLES))
def test_rows_keep_their_contract(tables: duckdb.DuckDBPyConnection, table: str) -> None:
    """Without faults every value has its type, range and key, and nothing is from after the day."""
    contract = sample_contracts()[table]
    day = SPEC.day_at(4)
    for column in contract.columns:
        typed = f"try_cast({column.name} as {column.data_type})"
        wrong = [f"{column.name} is not null and {typed} is null"]
        if column.required:
            wrong.append(f"{column.name} is null")
        if column.enum:
            wrong.append(f"{column.name} not in ({', '.join(repr(value) for value in column.enum)})")
        if column.min is not None:
            wrong.append(f"{typed} < {column.min}")
        if column.max is not None:
            bound = resolve_bound(column.max, day)
            compared = f"{typed}::date" if column.data_type == "timestamp" else typed
            wrong.append(f"{compared} > {bound!r}")
        [bad] = numbers(tables, f"select count(*) from {table}_4 where {' or '.join(f'({rule})' for rule in wrong)}")
        assert bad == 0, column.name
    [repeated] = numbers(tables, f"select count(*) - count(distinct ({', '.join(contract.key)})) from {table}_4")
    assert repeated == 0
    if contract.event_time:
        within = f"{contract.event_time}::date between date '{day}' - 3 and date '{day}'"
        [outside] = numbers(tables, f"select count(*) from {table}_4 where not {within}")
        assert outside == 0 or contract.mode == "snapshot"


def test_states_of_a_ticket_only_move_on() -> None:
    engine = sample_engine()
    spec = SampleSpec(users=2000, days=40, faults=False)
    union = " union all ".join(
        f"select {day} as day, * from ({day_rows(spec, 'issue_tickets', day)})" for day in range(20, 40)
    )
    engine.execute(f"create table t as {union}")
    [backwards] = numbers(
        engine,
        """
        select count(*) from (
            select list(status order by updated_at) as states, list(status order by day) as by_day
            from t group by ticket_id)
        where states <> by_day or not array_to_string(states, '-') in (
            select array_to_string(['open', 'pending', 'resolved', 'closed'][a:b], '-')
            from range(1, 5) x(a), range(1, 5) y(b)
            union all select 'open-deleted' union all select 'deleted')""",
    )
    assert backwards == 0


def test_a_wrong_sample_is_refused() -> None:
    with pytest.raises(ConfigError, match="500"):
        SampleSpec(users=10)
    with pytest.raises(ConfigError, match="not a day of this sample"):
        SMALL.index_of(SMALL.day_at(2))
