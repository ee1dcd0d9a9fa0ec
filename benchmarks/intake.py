"""Intake of an exported sheet into PostgreSQL, as the flow does it, beside a bare COPY of the same file by psql's own protocol, with the
peak memory of the process.

python benchmarks/intake.py [rows ...; default 2000000] [--runs 3]

Bare is `COPY table FROM STDIN` by psycopg, in pieces of the same size, into a table of text columns that is truncated in the same transaction;
numbered is the same into a table that also numbers its rows. All run in turn against the embedded server, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path

import duckdb
from report import Figure, machine_facts, median, show

COLUMNS = {  # of the contract, and of the file
    "client_id": "Client ID", "client_name": "Client", "project_code": "Project", "period_starts_on": "Period",
    "engagement_level": "Engagement Level", "status": "Status", "channel": "Channel", "session_count": "Sessions",
    "spend_amount": "Spend", "last_contact_on": "Last Contact",
}  # fmt: skip
TABLE = "client_engagement_metrics"
LEAST, MOST_MB = 0.9, 150


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("rows", nargs="*", type=int, default=[2_000_000])
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(json.dumps(one(*given.one)))
        return
    figures = []
    for rows in given.rows:
        figures += measure(rows, given.runs)
    show("intake", figures, machine_facts(rows=",".join(map(str, given.rows))))


def measure(rows: int, runs: int) -> list[Figure]:
    """Seconds of both ways in turn, and the most memory of ours."""
    from regulars.postgres.server import start_server, stop_server

    with tempfile.TemporaryDirectory() as folder:
        home, path = Path(folder) / "home", Path(folder) / "ClientData_2023—EngagementMetrics.csv"
        duckdb.execute(
            f"""copy (select 'C' || (i % 50000) as "Client ID", 'Client ' || (i % 50000) as "Client", 'P' || (i % 900) as "Project",
            strftime(date '2023-01-01' + interval (i % 700) day, '%b %Y') as "Period", ['High', 'hi', 'Medium', 'low '][1 + i % 4] as "Engagement Level",
            ['active', 'lapsed', 'Actve'][1 + i % 3] as "Status", ['email', 'phone', 'on site'][1 + i % 3] as "Channel", i % 40 as "Sessions",
            format('{{:,}} €', i % 100000) as "Spend", strftime(date '2023-01-01' + interval (i % 700) day, '%d/%m/%Y') as "Last Contact"
            from range({rows}) as r(i)) to '{path}' (header)"""
        )
        url = start_server(home).ensure_database("operational")
        try:
            spent: dict[str, list[float]] = {"bare": [], "numbered": [], "ours": []}
            peak = 0.0
            for turn in range(runs):
                for way in list(spent)[:: -1 if turn % 2 else 1]:  # what one leaves to the disk weighs on the next
                    told = subprocess.run(
                        [sys.executable, __file__, "--one", way, url, str(path)], check=True, capture_output=True, text=True
                    )  # fmt: skip
                    seconds, memory = json.loads(told.stdout)
                    spent[way].append(seconds)
                    peak = max(peak, memory) if way == "ours" else peak
        finally:
            stop_server(home)
        ratio = {  # of a turn: the machine changes its speed
            way: median([its / ours for its, ours in zip(spent[way], spent["ours"], strict=True)]) for way in spent
        }
        return [
            Figure(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB: bare COPY", median(spent["bare"])),
            Figure("COPY that numbers the rows", median(spent["numbered"])),
            Figure("intake", median(spent["ours"])),
            Figure("speed beside the bare COPY", ratio["bare"], "x", f">= {LEAST}"),
            Figure("speed beside the one that numbers", ratio["numbered"], "x"),
            Figure("peak memory of the process", peak, "MB", f"<= {MOST_MB}"),
        ]


def one(way: str, url: str, path: str) -> tuple[float, float]:
    """Seconds, and peak memory in MB, of one way in this process."""
    import resource

    import psycopg

    from regulars.postgres.intake import PIECE_BYTES
    from regulars.postgres.sheet_intake import take_in_sheet
    from regulars.postgres.store import open_store
    from regulars.run import Run
    from regulars.settings import Settings
    from regulars.sheet_contracts import read_sheet_contracts
    from regulars.sources.config import Connection, Sources, TableSource

    with open(path, "rb") as stream:
        skip = len(stream.readline())
    run = Run("benchmark", "benchmark", date(2026, 1, 1), datetime(2026, 1, 2))
    if way != "ours":
        texts, numbers = ", ".join(f"{name} text" for name in COLUMNS), "_row bigint generated by default as identity"
        with psycopg.connect(url) as connection:
            connection.execute(
                f"create table if not exists public.{way} ({texts}{f', {numbers} (cache 10000)' if way == 'numbered' else ''})"
            )
            connection.commit()
            started = time.perf_counter()
            connection.execute(f"truncate public.{way}")
            with (
                open(path, "rb") as stream,
                connection.cursor().copy(f"copy public.{way} ({', '.join(COLUMNS)}) from stdin (format csv)") as copy,
            ):
                stream.seek(skip)
                while piece := stream.read(PIECE_BYTES):
                    copy.write(piece)
            connection.commit()
            seconds = time.perf_counter() - started
    else:
        file = Path(path)
        settings = Settings(_env_file=None, operational_url=url, home=file.parent / "home")
        entry = TableSource(**{"from": "exports", "path": file.name, "columns": COLUMNS})
        exports = Connection(kind="sheet", path=str(file.parent))
        sources = Sources(connections={"exports": exports}, tables={}, sheets={TABLE: entry})
        contract = read_sheet_contracts(settings)[TABLE]
        with open_store(settings) as store:
            started = time.perf_counter()
            take_in_sheet(store, contract, sources, settings, run, refresh=True)
            seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
