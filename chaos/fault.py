"""One fault, and its trial: hurt a run, run it again plainly, and ask the oracle what is left of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from chaos.findings import Finding
from chaos.oracle import compare, unchanged
from chaos.pipelines import SCENARIOS, Pipeline
from chaos.processes import Child, call, end_strays, strays
from chaos.services import PostgresService, S3Service
from chaos.world import LIMIT_SECONDS, World

FLOW_LIMIT_SECONDS = 600.0


class NotInjected(Exception):
    """The fault could not be made here, or its moment never came; says why."""


@dataclass(frozen=True)
class Fault:
    """`inject` hurts a run in a restored world and says whether that run claims to have succeeded.

    It raises RuntimeError where the run broke a promise at once, NotInjected where there was nothing to hurt.
    `judges_itself`: no home is concerned, and nothing is left to ask.
    """

    kind: str
    number: int
    scenario: str
    what: str
    inject: Callable[[World], bool]
    whole_flow: bool = False
    out_of_order: bool = False
    judges_itself: bool = False


@dataclass
class Outcome:
    """What came of a fault. `restart_seconds`: from starting the rerun to its end, in a process that is warm."""

    kind: str
    number: int
    scenario: str
    what: str
    replay: str
    status: str = "survived"  # or failed, not injected
    restart_seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    note: str = ""


class Bench:
    """Worlds and services of one pipeline, made when a fault first needs them."""

    def __init__(self, pipeline: Pipeline, folder: Path, seed: int, *, twice_every: int) -> None:
        self.pipeline, self.folder, self.seed = pipeline, folder, seed
        self._twice_every = twice_every
        self._worlds: dict[str, World] = {}
        self._postgres: PostgresService | None = None
        self._s3: S3Service | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def rng(self, kind: str, number: int) -> Random:
        """The dice of one fault: they depend on pipeline, kind, seed and number alone."""
        return Random(f"{self.pipeline.name}/{kind}/{self.seed}/{number}")

    def world(self, name: str) -> World:
        if name not in self._worlds:
            scenario = SCENARIOS[name]
            print(f"preparing {name}: its days unhurt", flush=True)
            files = self.folder / "files"
            if not files.exists():
                call(lambda: self.pipeline.write_files(files), self.folder / "files.log")
            self._worlds[name] = World(
                self.pipeline, scenario, self.folder / name, self.folder / "home", files,
                self.postgres() if scenario.source == "postgres" else None,
                self.s3() if scenario.storage == "s3" else None,
            )  # fmt: skip
        return self._worlds[name]

    def postgres(self) -> PostgresService:
        self._postgres = self._postgres or PostgresService(self.folder)
        self._postgres.up()
        return self._postgres

    def s3(self) -> S3Service:
        self._s3 = self._s3 or S3Service(self.folder)
        return self._s3

    @property
    def known_pids(self) -> set[int]:
        return (self._postgres.pids if self._postgres else set()) | (self._s3.pids if self._s3 else set())

    def close(self) -> None:
        for world in self._worlds.values():
            world.undo.close()
        if self._postgres:
            self._postgres.stop()
        if self._s3:
            self._s3.stop()

    def carry_out(self, fault: Fault) -> Outcome:
        """The trial of one fault."""
        replay = f"{self.pipeline.name} {fault.kind} {self.seed}/{fault.number}"
        outcome = Outcome(fault.kind, fault.number, fault.scenario, fault.what, replay)
        world = self.world(fault.scenario)
        world.restore()
        try:
            outcome.findings += self._hurt(world, fault)
            if fault.judges_itself:
                return _judged(outcome)
            outcome.restart_seconds = self._rerun(world, fault, outcome)
            state = world.state()
            outcome.findings += compare(state, world.expected.state, out_of_order=fault.out_of_order)
            outcome.findings += self._left_behind(world)
            if fault.number % self._twice_every == 0 and not outcome.findings:
                self._rerun(world, fault, outcome)
                outcome.findings += unchanged(state, world.state())
        except NotInjected as reason:
            outcome.status, outcome.note = "not injected", str(reason)
            return outcome
        finally:
            world.undo.close()
            end_strays(self.known_pids)
        return _judged(outcome)

    def _hurt(self, world: World, fault: Fault) -> list[Finding]:
        """Inject; what the run leaves running, and what it owes where it says that all went well."""
        try:
            claims_success = fault.inject(world)
        except RuntimeError as broken:
            return [Finding("run", str(broken))]
        found = self._left_behind(world)
        if claims_success and not found and not fault.judges_itself:
            found += compare(world.state(), world.expected.state, out_of_order=fault.out_of_order)
        return found

    def _left_behind(self, world: World) -> list[Finding]:
        found = [Finding("processes", line) for line in strays(self.known_pids)]
        if world.s3:
            found += [Finding("files", f"unfinished upload of {key}") for key in world.s3.unfinished_uploads()]
        if world.postgres:
            deadline = time.monotonic() + 5
            while (held := world.postgres.stuck_sessions()) and time.monotonic() < deadline:
                time.sleep(0.1)
            found += [Finding("locks", line) for line in held]
        return found

    def _rerun(self, world: World, fault: Fault, outcome: Outcome) -> float:
        with world.network():
            child: Child = world.start_flow() if fault.whole_flow else world.spawn()
            limit = FLOW_LIMIT_SECONDS if fault.whole_flow else LIMIT_SECONDS
            if not child.wait(limit):
                child.kill_group()
                outcome.findings.append(Finding("run", f"the rerun did not end within {limit:.0f} s"))
            elif child.status != 0:
                outcome.findings.append(Finding("run", f"the rerun ended with {child.status}: {child.said()}"))
        return child.ended_after


def _judged(outcome: Outcome) -> Outcome:
    if outcome.findings:
        outcome.status = "failed"
    return outcome
