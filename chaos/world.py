"""A scenario on disk: the home before the run that is hurt, put back for every fault, and what an unhurt run gives."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from chaos.oracle import State, take_state
from chaos.pipelines import Pipeline, Scenario
from chaos.plain import run_plain
from chaos.processes import Child, call, fork, start
from chaos.proxy import Breakage, proxied, read_report
from chaos.services import PostgresService, S3Service, write_sources
from chaos.tripwire import count_calls
from regulars.settings import PROJECT_DIR

LIMIT_SECONDS = 300.0  # no run of these small days may take longer, whatever was done to it
PASS = Breakage()
DISK_PARTS = ("", "landing", "deliveries")


@dataclass(frozen=True)
class Expected:
    """An unhurt run: its end state, how long it took, calls of each commit point, bytes through the proxy.

    `disk` is used bytes of the home ("") and of its landing and deliveries, before and after.
    """

    state: State
    seconds: float
    calls: Mapping[str, int]
    bytes_down: int
    bytes_up: int
    disk: Mapping[str, tuple[int, int]]


class World:
    """Made once per scenario; `restore` puts everything back to before the run that is hurt."""

    def __init__(
        self,
        pipeline: Pipeline,
        scenario: Scenario,
        folder: Path,
        home: Path,
        files: Path,
        postgres: PostgresService | None = None,
        s3: S3Service | None = None,
    ) -> None:
        self.pipeline, self.scenario, self.folder = pipeline, scenario, folder
        self.home = home  # one for all worlds of a bench: absolute paths in the warehouse fit every copy of it
        days = "-".join(map(str, scenario.before))
        self._base = home.with_name(f"base-{scenario.source}-{scenario.storage}-{days}")
        self.temporary, self.log = folder / "tmp", folder / "run.log"
        self.postgres, self.s3 = postgres, s3
        self._base_bucket: dict[str, bytes] = {}
        self.tamper: Callable[[], object] | None = None  # a test switches guards of the library off by it
        self.undo = ExitStack()  # what a fault set up for its trial, taken down before the next one
        folder.mkdir(parents=True)
        write_sources(folder / "sources.yml", pipeline, files, postgres)
        if scenario.replays:
            table, mapping = pipeline.replayed
            write_sources(folder / "repaired.yml", pipeline, files, postgres, {table: {"columns": dict(mapping)}})
        self.expected = self._prepare()

    @property
    def days(self) -> list[date]:
        """Days of the run that is hurt."""
        return [self.pipeline.days[number] for number in self.scenario.days]

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a run of this world."""
        return {
            "REGULARS_HOME": str(self.home),
            "REGULARS_SOURCES": str(self.folder / "sources.yml"),
            "REGULARS_PSEUDONYM_KEY": "chaos",
            "REGULARS_LOCK_TIMEOUT_SECONDS": "240",
            "TMPDIR": str(self.temporary),
            "PREFECT_LOGGING_LEVEL": "CRITICAL",
            **self.scenario.environment,
            **(self.s3.environment if self.s3 else {}),
        }

    @property
    def source(self) -> PostgresService:
        """The PostgreSQL that this world reads. Raises RuntimeError for a world of files."""
        if self.postgres is None:
            raise RuntimeError(f"{self.scenario.name} reads no PostgreSQL")
        return self.postgres

    def restore(self) -> None:
        """Home, temporary folder and bucket as they were before the run that is hurt; the log starts afresh."""
        self.undo.close()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()
        if self._base.exists():
            shutil.copytree(self._base, self.home, symlinks=True)
        if self.s3:
            self.s3.put_back(self._base_bucket)
        self.log.unlink(missing_ok=True)

    def victim(self) -> None:
        """The run that is hurt, in this process (a fork)."""
        self.enter()
        if self.tamper:
            self.tamper()
        if self.scenario.replays:
            os.environ["REGULARS_SOURCES"] = str(self.folder / "repaired.yml")
            self._replay_quarantine()
        for day in self.days:
            self.run(day)

    def run(self, day: date) -> None:
        """The flow of one day, under the settings of this process."""
        is_first = day == self.pipeline.days[0]
        run_plain(self.pipeline.flow, as_of=day, **(self.pipeline.first_load if is_first else {}))

    def enter(self) -> None:
        """Make this world's settings those of this process."""
        os.environ.update(self.environment)
        tempfile.tempdir = None

    def spawn(self, before: Callable[[], object] | None = None, day: date | None = None) -> Child:
        """Start the victim (or its flow for another day) in a fork; `before` runs in it first."""

        def work() -> None:
            if before:
                before()
            if day:
                run_day(self, day)
            else:
                self.victim()

        return fork(work, self.log)

    def start_flow(self) -> Child:
        """Start the whole Prefect flow, as a person would."""
        command = [str(PROJECT_DIR / ".venv/bin/regulars"), "run", self.pipeline.name, "--as-of", str(self.days[0])]
        if not Path(command[0]).exists():
            command[:1] = [sys.executable, "-m", "flows"]
        return start(command, self.environment, self.log)

    @contextmanager
    def network(self, breakage: Breakage = PASS) -> Iterator[None]:
        """The proxy between runs and the service of this world, where it has one."""
        service = self.postgres or self.s3
        if service is None:
            yield
            return
        with proxied(service.port, service.upstream, breakage, self.folder):
            yield

    def network_report(self) -> dict[str, int]:
        return read_report(self.folder / "proxy.json")

    def state(self) -> State:
        """What is there now, read in a fork."""
        with self.network():
            found: State = call(self._take_state, self.folder / "oracle.log")
            return found

    def _take_state(self) -> State:
        self.enter()
        return take_state(self.home, self.temporary)

    def _prepare(self) -> Expected:
        if self.scenario.before and not self._base.exists():
            self.restore()
            for number in self.scenario.before:
                self._to_evening(number)
                self._run_unhurt(partial(run_day, self, self.pipeline.days[number]))
            shutil.copytree(self.home, self._base)
            if self.s3:
                self._base_bucket = self.s3.content()
        self._to_evening(self.scenario.days[-1])
        calls_file = self.folder / "calls.json"

        def counted() -> None:
            finish = count_calls(self.pipeline.commit_points, calls_file)
            self.victim()
            finish()

        self.restore()
        used = {part: [disk_bytes(self.home / part)] for part in DISK_PARTS}
        seconds = self._run_unhurt(counted)
        passed = self.network_report()
        for part, sizes in used.items():
            sizes.append(disk_bytes(self.home / part))
        return Expected(
            self.state(), seconds, json.loads(calls_file.read_text()), passed["down"], passed["up"],
            {part: (sizes[0], sizes[1]) for part, sizes in used.items()},
        )  # fmt: skip

    def _run_unhurt(self, work: Callable[[], None]) -> float:
        with self.network():
            child = fork(work, self.log)
            if not child.wait(LIMIT_SECONDS) or child.status != 0:
                child.kill_group()
                raise RuntimeError(f"{self.scenario.name}: the unhurt run ended with {child.status}:\n{child.said(40)}")
        return child.ended_after

    def _to_evening(self, number: int) -> None:
        if self.postgres:
            uri, day = self.postgres.up().uri(), self.pipeline.days[number]
            call(lambda: self.pipeline.load_postgres(uri, day), self.folder / "load.log")

    def _replay_quarantine(self) -> None:
        from flows.commands import quarantine

        table, _ = self.pipeline.replayed
        day = self.pipeline.days[0]
        quarantine.replay_rows(table, _midnight(day))


def run_day(world: World, day: date) -> None:
    """The flow of one day, in this process (a fork)."""
    world.enter()
    world.run(day)


def disk_bytes(folder: Path) -> int:
    """Bytes of the files below a folder, in whole blocks."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*") if path.is_file())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  a command-line value: a date
