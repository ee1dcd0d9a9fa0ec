"""Sources of any size for the benchmarks, as Parquet files made by formulas: 2.1 events per user and day over thirteen tables.

The seeded sample (`regulars.sample`) is richer and has faults, but is made user by user; this is plain volume. Per day about
40 % of the users have an event, 1 % of the profiles change, and 1 % of the events of the day before arrive once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import yaml

from regulars.engine import quote

START = date(2026, 1, 1)
REGIONS = 24


@dataclass(frozen=True)
class World:
    """`users` accounts over `days` business dates from START; the same numbers give the same files."""

    users: int
    days: int
    seed: int = 1

    def day(self, index: int) -> date:
        """The business date of that index, from 0."""
        return START + timedelta(days=index)


def draw(*names: str | int) -> str:
    """SQL for a number in [0, 1) that depends on `i` and the names."""
    return f"((hash(i, {', '.join(quote(str(name)) for name in names)}) >> 11) / 9007199254740992.0)"


def pick(values: tuple[str, ...], *names: str | int) -> str:
    listed = ", ".join(quote(value) for value in values)
    return f"list_extract([{listed}], 1 + cast(floor({len(values)} * {draw(*names)}) as integer))"


def events(world: World, table: str, prefix: str, per_user: float, index: int, columns: str) -> str:
    """SELECT of a day's events, with 1 % of those of the day before; a few users do most."""

    def of(day: int, low: float, high: float) -> str:
        count = int(world.users * per_user)
        seed = f"{world.seed}-{table}-{day}"
        user = f"cast(floor({world.users} * pow({draw(seed, 'who')}, 12)) as bigint)"
        at = f"timestamp '{world.day(day)}' + to_seconds(cast(floor(86400 * {draw(seed, 'when')}) as integer))"
        return f"""select i, '{prefix}{day:04d}-' || i as id, 'u' || lpad(cast({user} as varchar), 8, '0') as user_id,
            {at} as moment, {draw(seed, "kind")} as kind, {draw(seed, "size")} as size, '{seed}' as seed
            from range({int(count * low)}, {int(count * high)}) as r(i)"""

    rows = of(index, 0, 1)
    if index:
        rows += f" union all {of(index - 1, 0.5, 0.51)}"
    return f"select {columns} from ({rows})"


def table_rows(world: World, table: str, index: int) -> str:
    """SELECT of what the source of the table holds for the day of that index."""
    day = world.day(index)
    if table == "user_profile":
        epoch = f"cast(floor(100 * {draw(world.seed, 'turn')}) as integer)"  # the day, modulo 100, on which the profile changes
        version = f"cast(floor(({index} + 100 - {epoch}) / 100) as integer)"
        seen = f"timestamp '{START}' - interval 400 day + to_days({version} * 100 + {epoch})"
        return f"""select 'u' || lpad(cast(i as varchar), 8, '0') as user_id, 'user' || i || '@example.com' as email,
            'Name ' || i as full_name, '+49 30 ' || lpad(cast(i as varchar), 8, '0') as phone, 'Street ' || (i % 5000) as postal_address,
            1940 + i % 65 as birth_year, {pick(("female", "male", "other", "undisclosed"), world.seed, "gender")} as gender,
            {pick(("active",) * 18 + ("suspended", "closed"), world.seed, "status")} as account_status,
            list_extract(['bronze', 'silver', 'gold', 'platinum'], 1 + cast(hash(i, {version}) % 4 as integer)) as tier,
            'R' || lpad(cast(hash(i, {world.seed}) % {REGIONS} as varchar), 2, '0') as region_code,
            date '{START}' - cast(1 + hash(i) % 900 as integer) as signed_up_on,
            {draw(world.seed, "marketing")} < 0.7 as marketing_consent, {draw(world.seed, "support")} < 0.9 as support_consent,
            {seen} as updated_at from range({world.users}) as r(i)"""
    if table == "region_metadata":
        return f"""select 'R' || lpad(cast(i as varchar), 2, '0') as region_code, 'Region ' || i as region_name, 'DE' as country_code,
            'Manager ' || i as region_manager from range({REGIONS}) as r(i)"""
    if table == "region_thresholds":
        return f"""select 'R' || lpad(cast(i as varchar), 2, '0') as region_code, cast(25 + i % 10 as decimal(5, 2)) as low_engagement_score,
            cast(65 + i % 10 as decimal(5, 2)) as high_engagement_score from range({REGIONS}) as r(i)"""
    if table == "engagement_score":
        share = 0.2  # of the users are scored on a day
        return f"""select 'u' || lpad(cast(i as varchar), 8, '0') as user_id, date '{day}' as scored_on,
            cast(100 * {draw(world.seed, "score", index)} as decimal(5, 2)) as engagement_score, 'v3' as model_version
            from range({world.users}) as r(i) where {draw(world.seed, "scored", index)} < {share}"""
    prefix, per_user, columns = EVENTS[table]
    return events(world, table, prefix, per_user, index, columns)


EVENTS = {
    "user_activity": ("A", 1.1, """id as activity_id, user_id,
        case when kind < 0.7 then 'login' when kind < 0.94 then 'purchase' else 'feedback' end as activity_type,
        moment as occurred_at, case when size < 0.5 then 'web' else 'app' end as channel,
        case when kind >= 0.7 and kind < 0.94 then cast(5 + 400 * size * size as decimal(12, 2)) end as purchase_amount,
        case when kind >= 0.7 and kind < 0.94 then 'EUR' end as currency_code,
        case when kind >= 0.94 then 1 + i % 5 end as feedback_rating, case when kind >= 0.94 then 'as expected' end as feedback_text"""),
    "feature_adoption": ("F", 0.15, """user_id, 'm' || (i % 4) as module, 'f' || (i % 9) as feature, min(moment) - interval 10 day as first_used_at,
        max(moment) as last_used_at, count(*) as usage_count"""),
    "retention_action": ("R", 0.02, """id as action_id, user_id,
        case when kind < 0.5 then 'email' else 'discount' end as action_type, moment as acted_at,
        case when size < 0.5 then 'pending' else 'accepted' end as outcome, cast(null as varchar) as notes"""),
    "support_calls": ("C", 0.05, """id as call_id, user_id, moment as started_at,
        cast(30 + 900 * size as bigint) as duration_seconds, 'topic' || (i % 7) as topic,
        kind < 0.8 as is_resolved, cast(null as varchar) as agent_notes"""),
    "support_chats": ("H", 0.05, """id as chat_id, user_id, moment as started_at,
        cast(1 + 30 * size as bigint) as message_count, 1 + i % 5 as satisfaction_rating"""),
    "issue_tickets": ("T", 0.05, """id as ticket_id, user_id, moment as opened_at, moment as updated_at,
        case when kind < 0.5 then 'open' else 'resolved' end as status,
        'normal' as priority, 'category' || (i % 5) as category"""),
    "service_requests": ("S", 0.05, """id as request_id, user_id, moment as requested_at, moment as updated_at, 'type' || (i % 5) as request_type,
        case when kind < 0.5 then 'open' else 'done' end as status"""),
    "product_support_usage": ("U", 0.2, """id as usage_id, user_id, moment as viewed_at,
        case when kind < 0.6 then 'help_article' else 'faq' end as content_type,
        'c' || (i % 300) as content_id, cast(5 + 300 * size as bigint) as reading_seconds"""),
    "repeat_engagements": ("E", 0.15, """id as engagement_id, user_id, moment as engaged_at, 'campaign' as engagement_type,
        case when size < 0.5 then 'mail' else 'app' end as channel"""),
}  # fmt: skip
TABLES = ("user_profile", "engagement_score", *EVENTS, "region_metadata", "region_thresholds")


def write_day(world: World, folder: Path, index: int, tables: tuple[str, ...] = TABLES) -> None:
    """Write the day's file of each table, `<folder>/<table>/<date>.parquet`; one that is there is kept."""
    with duckdb.connect() as engine:
        engine.execute("set threads = 2; set preserve_insertion_order = false")
        for table in tables:
            path = folder / table / f"{world.day(index)}.parquet"
            if path.exists():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            query = table_rows(world, table, index)
            if table == "feature_adoption":
                query += " group by user_id, module, feature"
            engine.execute(f"copy ({query}) to {quote(str(path) + '.draft')} (format parquet, compression zstd)")
            Path(f"{path}.draft").rename(path)


def write_sources(folder: Path, path: Path) -> None:
    """A sources.yml that reads those files."""
    tables = {table: {"from": "files", "path": f"{table}/{{as_of}}.parquet"} for table in TABLES}
    connections = {"files": {"kind": "files", "path": str(folder)}}
    path.write_text(yaml.safe_dump({"connections": connections, "tables": tables}))
