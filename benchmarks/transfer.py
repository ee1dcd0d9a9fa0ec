"""The transfer from PostgreSQL to the warehouse beside a bare ADBC copy and dlt's backends pyarrow and connectorx.

python benchmarks/transfer.py [rows; default 2000000] [--runs 3] [--only-killed]

A staged table of twelve columns with its digest, on the embedded server. Ours ends in a committed batch, typed and judged by a contract,
with every row's digest made again. ADBC reads the same query as Arrow batches and writes them into a DuckDB table; dlt loads the table
into DuckDB (`sql_database`, write disposition replace). Each way runs in a process of its own, in turn. Then a transfer is killed when 90 % of its
pieces are typed, and run again: both together beside one that was left alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from report import Figure, machine_facts, median, show

COLUMNS = {
    "client_id": "varchar", "client_name": "varchar", "project_code": "varchar", "period_starts_on": "date", "engagement_level": "varchar",
    "status": "varchar", "channel": "varchar", "session_count": "bigint", "spend_amount": "decimal(18,2)", "last_contact_on": "date",
    "updated_at": "timestamp", "row_digest": "bigint",
}  # fmt: skip
WAYS = ("ours", "adbc", "dlt-pyarrow", "dlt-connectorx")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("rows", nargs="?", type=int, default=2_000_000)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--only-killed", action="store_true", help="not the other ways")
    options.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], given.one[1], Path(given.one[2]), int(given.one[3]))))
        return
    show("transfer", measure(given.rows, given.runs, given.only_killed), machine_facts(rows=given.rows))


def measure(rows: int, runs: int, only_killed: bool = False) -> list[Figure]:
    """Seconds of each way in turn."""
    import psycopg

    from regulars.postgres.server import start_server, stop_server

    found = {name for name in ("dlt", "connectorx", "adbc_driver_postgresql") if importlib.util.find_spec(name)}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        url = start_server(folder / "server").ensure_database("operational")
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(staged(rows))
                connection.execute("vacuum analyze public.staged")
            spent: dict[str, list[float]] = {
                way: [] for way in WAYS if way == "ours" or {"adbc": "adbc_driver_postgresql"}.get(way, "dlt") in found
            }
            for turn in range(0 if only_killed else runs):
                for way in spent:
                    spent[way].append(run_one(way, url, folder / f"{way}-{turn}")[0])
            alone, killed, again = [], [], []
            for turn in range(runs):
                alone.append(run_one("ours", url, folder / f"alone-{turn}"))
                killed.append(run_one("ours", url, folder / f"killed-{turn}", 90))
                again.append(run_one("ours", url, folder / f"killed-{turn}"))
        finally:
            stop_server(folder / "server")
    figures = [] if only_killed else [Figure(f"{rows:,} rows, 12 columns: transfer", median(spent["ours"]))]
    for way, target in (("adbc", ">= 0.9"), ("dlt-pyarrow", ">= 3"), ("dlt-connectorx", ">= 1.3")):
        if spent.get(way):
            figures += [
                Figure(way, median(spent[way])),
                Figure(f"speed beside {way}", median(spent[way]) / median(spent["ours"]), "x", target),
            ]
    for figure, place in (("", 0), (", with the start of the processes", 1)):
        both = [one[place] + other[place] for one, other in zip(killed, again, strict=True)]
        times = [
            two / spent[place] for two, spent in zip(both, alone, strict=True)
        ]  # of a turn: the machine changes its speed
        figures += [
            Figure(f"left alone{figure}", median([spent[place] for spent in alone])),
            Figure(f"killed at 90 %, and run again{figure}", median(both)),
            Figure(f"in total{figure}", median(times), "x", "<= 1.1" if place == 0 else ""),
        ]
    return figures


def staged(rows: int) -> str:
    names = [name for name in COLUMNS if name != "row_digest"]
    texts = ", ".join(f"coalesce(cast({name} as text), '\\N')" for name in names)
    return f"""create table public.staged as select *, ('x' || substr(md5(concat_ws(chr(31), {texts})), 1, 15))::bit(60)::bigint as row_digest from (
        select 'C' || i % 50000 as client_id, 'Client number ' || i % 50000 as client_name, 'P' || i % 900 as project_code,
        date '2020-01-01' + (i % 1500) as period_starts_on, (array['none', 'low', 'medium', 'high'])[1 + i % 4] as engagement_level,
        (array['active', 'paused', 'lapsed'])[1 + i % 3] as status, (array['email', 'phone', 'on site'])[1 + i % 3] as channel,
        nullif(i % 40, 0)::bigint as session_count, cast(i % 100000 / 4.0 as numeric(18,2)) as spend_amount, date '2020-01-01' + (i % 1400) as last_contact_on,
        timestamp '2023-01-01' + i * interval '1 second' as updated_at from generate_series(1, {rows}) as g(i)) as t"""


def run_one(way: str, url: str, folder: Path, kill_at: int = 0) -> tuple[float, float]:
    """Seconds of a process that may be killed by itself when so many per cent of the rows are typed: without its start
    (interpreter and imports), and with it."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, __file__, "--one", way, url, str(folder), str(kill_at)]
    started = time.perf_counter()
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    whole = time.perf_counter() - started
    if told.returncode != (-signal.SIGKILL if kill_at else 0):
        raise SystemExit(f"{way}: {told.stderr}")
    if kill_at:
        return float((folder / "killed").read_text()), whole
    return float(json.loads(told.stdout.splitlines()[-1])), whole


def one(way: str, url: str, folder: Path, kill_at: int) -> float:
    return {"ours": ours, "adbc": adbc}.get(way, dlt)(url, folder, way if way.startswith("dlt") else kill_at)


def ours(url: str, folder: Path, kill_at: Any) -> float:
    from regulars import typed_pieces
    from regulars.contracts import Contract
    from regulars.run import Run
    from regulars.settings import Settings
    from regulars.sources.config import read_sources
    from regulars.transfer import transfer

    contract = Contract(
        source="operations", table="customer_engagement", description="Benchmark.", mode="snapshot", owner="nobody", key=("client_id", "updated_at"),
        columns=[{"name": name, "data_type": kind, "description": name} for name, kind in COLUMNS.items()],
    )  # fmt: skip
    (folder / "sources.yml").write_text(
        f'connections:\n  store: {{kind: postgres, url: "{url}"}}\ntables:\n  customer_engagement: {{from: store, table: public.staged}}\n'
    )
    sources = read_sources(folder / "sources.yml", {contract.table: contract})
    settings = Settings(_env_file=None, home=folder / "home", pseudonym_key="benchmark")
    started, done, type_piece = time.perf_counter(), [], typed_pieces._type_piece

    def counted(request: Any, piece: Any, *more: Any) -> Any:
        typed = type_piece(request, piece, *more)
        done.append(typed.rows)
        if kill_at and sum(done) >= kill_at / 100 * int(str(piece.position["state"]).partition(":")[0]):
            (folder / "killed").write_text(str(time.perf_counter() - started))
            os.kill(os.getpid(), signal.SIGKILL)
        return typed

    typed_pieces._type_piece = counted
    transfer(contract, sources, settings, Run("benchmark", "benchmark", date(2026, 1, 1), datetime(2026, 1, 2)))
    return time.perf_counter() - started


def adbc(url: str, folder: Path, _: Any) -> float:
    import duckdb
    from adbc_driver_postgresql import dbapi

    target = duckdb.connect(str(folder / "adbc.duckdb"))
    target.execute("set threads = 2")
    started = time.perf_counter()
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("select * from public.staged")
        arrived = cursor.fetch_record_batch()
        target.register("arrived", arrived)
        target.execute("create table moved as select * from arrived")
        target.execute("checkpoint")
    return time.perf_counter() - started


def dlt(url: str, folder: Path, way: str) -> float:
    os.environ.update(DLT_DATA_DIR=str(folder), RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL")
    import dlt as library
    from dlt.sources.sql_database import sql_table

    host = url.partition("?host=")[2]
    login, database = url.removeprefix("postgresql://").partition("?")[0].split("/")
    socket = f"postgresql://{login}{quote(unquote(host), safe='')}/{database}"  # as connectorx wants it
    more = {"backend_kwargs": {"conn": socket}} if way == "dlt-connectorx" else {}
    pipeline = library.pipeline(
        "transfer",
        pipelines_dir=str(folder),
        destination=library.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="moved",
    )
    table = sql_table(
        credentials=url.replace("postgresql://", "postgresql+psycopg2://"), table="staged", schema="public",
        backend=way.removeprefix("dlt-"), chunk_size=100_000, **more,
    )  # fmt: skip
    started = time.perf_counter()
    pipeline.run(table, write_disposition="replace")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
