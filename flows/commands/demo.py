"""`regulars demo`: the daily merge over several days of sample data, faults and all, and what came of it."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.console import console, print_table, show_steps
from flows.commands.demo_engagement import play_engagement, report_engagement
from flows.commands.demo_record import Verdict, finished_days, print_caught
from flows.commands.demo_shop import play_shop, report_shop
from flows.commands.prefect_profile import use_local_prefect, with_named_blocks, with_named_store
from regulars.errors import GuardBlocked
from regulars.postgres.server import EmbeddedPostgres, start_server
from regulars.sample.check import check_planted, planted_until
from regulars.sample.load import load_day
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import variants_of
from regulars.settings import Settings, load_settings
from regulars.warehouse import open_warehouse

SPEC = SampleSpec(users=3000, days=5, seed=7)
CALLED = ".venv/bin/regulars"

LOADED = """
select table_name, cast(sum(rows_read) as bigint), cast(sum(rows_loaded) as bigint),
    cast(sum(rows_quarantined) as bigint), cast(sum(rows_duplicate) as bigint)
from ops.ingestion_logs where batch_id in (select batch_id from ops.effective_batches) and status = 'loaded'
group by table_name order by table_name
"""
CHECKS = """
select as_of, layer, kind, count(case when status = 'passed' then 1 end),
    count(case when status in ('failed', 'error') and severity = 'warn' then 1 end),
    count(case when status in ('failed', 'error') and severity = 'block' then 1 end)
from ops.dq_check_logs group by as_of, layer, kind order by as_of, kind desc, layer desc
"""
SEGMENTS = """
select segment, team, as_of, revision, "ROWS", entered, left_count from ops.deliveries order by segment, as_of, revision
"""


def demo(
    called: Annotated[str, typer.Option(help="How commands are called, in what is printed at the end.")] = CALLED,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the weekly refresh of a shop, and a shared sheet.")
    ] = False,
) -> None:
    """Run the daily loyalty merge over five days of sample data with planted faults; a second call only reports."""
    use_local_prefect()
    settings = with_named_store(with_named_blocks(load_settings()))
    console.print(
        f"Regulars demo: {SPEC.users:,} users, {SPEC.days} days from {SPEC.start}, everything below {settings.home}"
    )
    server = start_server(settings.home_dir)
    console.print("embedded PostgreSQL runs, with three departmental databases: dw_a, dw_b, dw_c")
    days = days_to_play(settings)
    if days:
        console.print("starting Prefect (some 15 seconds) ...")
        from flows.loyalty import daily_loyalty_merge

        threading.Thread(target=import_slow_libraries, daemon=True).start()
        with show_steps():
            for day in days:
                play(day, server, daily_loyalty_merge)
    else:
        console.print("all days were played before; `make clean` starts afresh")
    if everything:
        with show_steps():
            play_shop(settings, server)
            play_engagement(settings)
    is_whole = report(settings, called)
    if everything:
        is_whole = report_shop(settings) and is_whole
        is_whole = report_engagement(settings) and is_whole
    if not is_whole:
        raise typer.Exit(1)


def import_slow_libraries() -> None:
    """Great Expectations takes seconds to import; meanwhile Prefect's server starts, which is another process."""
    import great_expectations  # noqa: F401


def play(day: date, server: EmbeddedPostgres, merge: Any) -> None:
    """One day as it happens: the evening's data, the merge, and what a faulty source makes people do."""
    variants = {
        variant
        for table in ("user_profile", "user_activity")
        for variant in variants_of(SPEC, table, SPEC.index_of(day))
    }
    if "shrunken" in variants:
        load_day(SPEC, day, server.uri(), "shrunken")
        console.print(f"\n{day}: user_profile arrives with most of its rows missing")
        try:
            merge(day)
        except GuardBlocked as error:
            console.print(f"{day}: blocked, as it should be. {error}")
            console.print(f"{day}: the source is asked to send it again, and does")
    load_day(SPEC, day, server.uri())
    console.print(f"\n{day}: merging")
    merge(day)
    if "corrected" in variants:
        console.print(f"\n{day}: the source corrects the day; it is landed again (refresh)")
        load_day(SPEC, day, server.uri(), "corrected")
        merge(day, refresh=True)


def days_to_play(settings: Settings) -> list[date]:
    """Days whose merge, revisions included, has not ended well yet."""
    ended = finished_days(settings, "daily-loyalty-merge")
    wanted = {
        day: 1 + ("corrected" in variants_of(SPEC, "user_activity", SPEC.index_of(day))) for day in SPEC.all_days()
    }
    return [day for day, times in wanted.items() if ended.get(day, 0) < times]


def report(settings: Settings, called: str) -> bool:
    """Print what the days came to; True if every planted fault was caught."""
    with open_warehouse(settings) as warehouse:
        console.print()
        print_table(
            "Rows that count now", ["table", "read", "loaded", "quarantined", "duplicate"], warehouse.query(LOADED)
        )
        print_table("Checks", ["day", "layer", "kind", "passed", "warnings", "blocked"], warehouse.query(CHECKS))
        deliveries = sorted(Path(settings.delivery_root).rglob("*.csv"))
        verdicts = check_planted(planted_until(SPEC, SPEC.all_days()[-1]), warehouse.query, deliveries)
        print_table(
            "Segments",
            ["segment", "team", "day", "revision", "delivered", "entered", "left"],
            warehouse.query(SEGMENTS),
        )
    caught = print_caught(
        "Planted faults (docs/sample-data.md says what counts as caught)",
        [Verdict(one.fault.kind, one.is_caught, f"{one.fault.description}: {one.found}") for one in verdicts],
    )
    console.print(
        f"days run {SPEC.days}, planted {len(verdicts)}, caught {caught}, files delivered {len(deliveries)} CSV\n"
    )
    console.print("Look at it:")
    console.print(f"  data docs   {settings.home / 'data_docs' / 'index.html'}")
    console.print(f"  deliveries  {_below_here(settings.delivery_root)}")
    console.print(f"  step log    {settings.home / 'logs' / 'ingestion.log'}")
    console.print(f'  tables      {called} sql "select * from marts.loyalty_master limit 5"')
    console.print(f"  state       {called} status")
    console.print(f"  quarantine  {called} quarantine list")
    return caught == len(verdicts)


def _below_here(root: str) -> str:
    """A folder as a person would type it from the current one."""
    here = Path.cwd()
    return str(Path(root).relative_to(here)) if Path(root).is_relative_to(here) else root
