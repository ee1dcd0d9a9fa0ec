"""The sheet's part of `regulars demo --all`: client engagement from a shared sheet, on three evenings."""

from __future__ import annotations

from datetime import UTC, date, datetime

from flows.commands.console import console, print_table
from flows.commands.demo_record import Verdict, finished_days, print_caught
from regulars.postgres.mapping_review import approve, reject
from regulars.postgres.store import open_store
from regulars.sample.engagement import EngagementSpec, decisions_before, faults_until, write_sheet
from regulars.settings import Settings
from regulars.warehouse import open_warehouse

SPEC = EngagementSpec()
OPERATIONS = "operations (demo)"

SHOWN = {
    "Clients and projects": """
        select case when is_matched then project_status else unmatched_reason end as project, count(*) as pairs,
            sum(session_count) as sessions, sum(spend_amount) as spend, count(case when is_active then 1 end) as active,
            count(case when is_lapsed then 1 end) as lapsed
        from marts.customer_engagement_summary group by 1 order by 2 desc nulls last, 1""",
    "Rows without their project": """
        select reason, row_count, client_count, first_project_code
        from marts.engagement_unmatched_rows order by row_count desc nulls last, reason""",
}
WAITING = "select problem, count(*) from staging.client_engagement_waiting group by 1 order by 2 desc, 1"


def play_engagement(settings: Settings) -> None:
    """Write the sheet of each evening and run the flow; what was run before is left alone."""
    from flows.engagement import customer_engagement
    from tasks.seeds import seed_projects

    done = finished_days(settings, "customer-engagement")
    for evening in SPEC.evenings:
        if evening in done:
            continue
        if evening == SPEC.start:
            seed_projects(settings)
        rows = write_sheet(SPEC, evening, settings.home_dir / "sheets")
        console.print(f"\n{evening}: the sheet of the operations team has {rows:,} rows")
        decided = _decide(settings, evening)
        if decided:
            console.print(f"{evening}: operations decided what {decided} raw values mean")
        customer_engagement(evening)


def report_engagement(settings: Settings) -> bool:
    """Print what the evenings came to; True if every planted fault was caught."""
    with open_warehouse(settings) as warehouse, open_store(settings) as store:
        for title, query in SHOWN.items():
            found = warehouse.arrow(query)
            print_table(title, found.column_names, [tuple(row.values()) for row in found.to_pylist()])
        print_table("Rows of the sheet that wait", ["why", "rows"], store.execute(WAITING).fetchall())
        places = {"warehouse": warehouse.query, "store": lambda query: store.execute(query.encode()).fetchall()}
        verdicts = [
            Verdict(fault.kind, places[fault.place](fault.query) == [(True,)], fault.description)
            for fault in faults_until(SPEC, SPEC.evenings[-1])
        ]
    caught = print_caught("Planted in the sheet", verdicts)
    console.print(f"evenings run {len(SPEC.evenings)}, planted {len(verdicts)}, caught {caught}\n")
    return caught == len(verdicts)


def _decide(settings: Settings, evening: date) -> int:
    """What operations says before the run of an evening, as `regulars mappings approve` and `reject` would record it."""
    decisions = decisions_before(SPEC, evening)
    with open_store(settings) as store:
        for one in decisions:
            if one.meaning is None:
                reject(store, one.column, one.raw, by=OPERATIONS, at=datetime.now(UTC))
            else:
                approve(store, one.column, one.raw, value=one.meaning, by=OPERATIONS, at=datetime.now(UTC))
    return len(decisions)
