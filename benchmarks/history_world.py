"""Members whose tracked columns change: the same numbers give the same states, and the counts of what changed come with them.

Every day each member changes with the same chance, by formula. One in fifty leaves once, for one to ten days, and comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml
from world import START

from regulars.engine import quote

PROJECT = Path(__file__).parent / "history_project"
TRACKED: list[str] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]["tracked"]


def draw(*names: str) -> str:
    """SQL for a number in [0, 1) that depends on `i` and the names; one text is hashed, for hashes of parts would go together."""
    return f"((hash({quote('-'.join(names))} || i) >> 11) / 9007199254740992.0)"


def pick(values: tuple[str, ...], name: str) -> str:
    listed = ", ".join(quote(value) for value in values)
    return f"list_extract([{listed}], 1 + cast(floor({len(values)} * {draw(name)}) as integer))"


AWAY = "case when {share} < 0.02 then 1 + cast(floor(60 * {starts}) as integer) end".format(
    share=draw("leaves"), starts=draw("left on")
)


@dataclass(frozen=True)
class Members:
    """`rows` members of which the share `change` changes every day."""

    rows: int
    change: float
    seed: int = 1

    def day(self, index: int) -> date:
        return START + timedelta(days=index)

    def begin(self, engine: duckdb.DuckDBPyConnection) -> None:
        """Make `world.members`: what is true of each on day 0."""
        regions = tuple(f"r{number:02d}" for number in range(24))
        engine.execute(f"""
            create or replace table world.members as select
                i, 'u' || lpad(cast(i as varchar), 8, '0') as user_id, sha256(cast(i as varchar)) as email_hash,
                cast(1940 + floor(65 * {draw("born")}) as bigint) as birth_year,
                {pick(("active", "active", "active", "paused", "closed"), "status")} as account_status,
                {pick(("bronze", "silver", "gold", "platinum"), "tier")} as tier,
                {pick(regions, "region")} as region_code, {pick(("DE", "FR", "US", "JP"), "country")} as country_code,
                date '2020-01-01' + cast(floor(2000 * {draw("signed up")}) as integer) as signed_up_on,
                {draw("consent")} < 0.6 as marketing_consent, cast(floor(500 * {draw("logins")}) as bigint) as login_count,
                cast(floor(80 * {draw("purchases")}) as bigint) as purchase_count,
                cast(9000 * {draw("amount")} as decimal(18, 2)) as purchase_amount,
                cast(floor(9 * {draw("tickets")}) as bigint) as ticket_count,
                date '{START}' - cast(floor(90 * {draw("active")}) as integer) as last_activity_on,
                cast(100 * {draw("score")} as decimal(5, 2)) as engagement_score,
                {pick(("high", "medium", "low", "unknown"), "band")} as engagement_band,
                timestamp '{START}' as updated_at, {AWAY} as away_from, {AWAY} + 1 + cast(floor(10 * {draw("away")}) as integer) as back_on
            from range({self.rows}) as r(i)""")

    def step(self, engine: duckdb.DuckDBPyConnection, index: int) -> None:
        """Carry `world.members` from the day before to this one. A login and a purchase change five columns, others now and then."""
        day, name = self.day(index), f"{self.seed} {index}"
        engine.execute(f"""
            update world.members set login_count = login_count + 1, purchase_count = purchase_count + 1,
                purchase_amount = purchase_amount + cast(100 * {draw(name, "amount")} as decimal(18, 2)),
                last_activity_on = date '{day}', engagement_score = cast(100 * {draw(name, "score")} as decimal(5, 2)),
                tier = case when {draw(name, "tier")} < 0.05 then 'gold' else tier end, updated_at = timestamp '{day}'
            where {draw(name)} < {self.change}""")

    def present(self, index: int | str) -> str:
        """SQL: whether a member is there on a day."""
        return f"({index} < coalesce(away_from, 999) or {index} >= back_on)"

    def freeze(self, engine: duckdb.DuckDBPyConnection, index: int) -> None:
        """Keep the state of this day as `world.states_<index>`."""
        engine.execute(f"create or replace table world.states_{index} as {self.states('world.members', index)}")

    def show(self, engine: duckdb.DuckDBPyConnection, index: int, table: str = "world.members") -> None:
        """Let the view `world.states`, which everyone reads, be this day: as the members are now, or as frozen in `table`."""
        states = f"select * from {table}" if table != "world.members" else self.states(table, index)
        engine.execute(
            f"create or replace view world.states as select *, date '{self.day(index)}' as state_on from ({states})"
        )

    def states(self, table: str, index: int) -> str:
        return f"select user_id, {', '.join(TRACKED)}, updated_at from {table} where {self.present(index)}"

    def expected_rows(self, engine: duckdb.DuckDBPyConnection, index: int) -> dict[str, int]:
        """How many stretches each reason opens up to a day, from the formulas alone."""
        steps = " union all ".join(
            f"select {self.present(step - 1)} as before, {self.present(step)} as after, {draw(f'{self.seed} {step}')} < {self.change} as changed"
            " from world.members"
            for step in range(1, index + 1)
        )
        (first,) = engine.execute(f"select count(*) from world.members where {self.present(0)}").fetchone() or (0,)
        counts = engine.execute(f"""
            select count(*) filter (before and after and changed), count(*) filter (before and not after),
                count(*) filter (after and not before)
            from ({steps})""").fetchone() or (0, 0, 0)
        return dict(zip(("first", "changed", "left", "returned"), (first, *counts), strict=True))
