"""`python -m chaos`: inject faults into a pipeline, run it again, and say what came of it."""

from __future__ import annotations

import argparse
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from chaos import late_kill, report
from chaos.fault import Bench, Fault, Outcome
from chaos.faults import KINDS
from chaos.pipelines import PIPELINES
from chaos.plain import import_everything
from chaos.processes import become_subreaper, fork_job
from regulars.run import code_version
from regulars.settings import PROJECT_DIR

SMALL, LARGE = 500, 20_000  # users: of the faults, and of the measurement of repeated work
LATE_KILL = "late-kill"


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when nothing was wrong, 1 when something was, 2 for wrong usage."""
    asked = _parse(arguments)
    if asked.list:
        print("\n".join([f"{kind:<16} {_first_line(plan)}" for kind, plan in KINDS.items()]))
        print(f"{LATE_KILL:<16} {_first_line(late_kill.measure)}")
        return 0
    with _folder(asked.work) as folder:
        _prepare(asked.pipeline)
        outcomes = _campaign(asked, folder)
        late = None
        if LATE_KILL in asked.kinds:
            with _bench(asked, folder / "large", asked.users) as bench:
                become_subreaper()
                late = late_kill.measure(bench, asked.users, max(1, min(5, asked.count // 4)))
    print(report.summary(outcomes, late))
    facts = {"pipeline": asked.pipeline, "seed": asked.seed, "count": asked.count, "kinds": asked.kinds}
    report.write_json(asked.out, outcomes, late, **facts)
    return int(any(one.status == "failed" for one in outcomes))


def _campaign(asked: argparse.Namespace, folder: Path) -> list[Outcome]:
    """All faults, by `--jobs` processes that take turns; each has worlds and services of its own."""
    folder.mkdir(exist_ok=True)
    answers = [folder / f"job-{number}.answer" for number in range(asked.jobs)]
    jobs = [
        fork_job(lambda number=number: _job(asked, folder / f"job-{number}", number), answer)  # type: ignore[misc]
        for number, answer in enumerate(answers)
    ]
    for job in jobs:
        while not job.wait(60):
            pass
    if any(job.status for job in jobs):
        raise SystemExit("the harness itself failed: see above")
    found = [outcome for answer in answers for outcome in pickle.loads(answer.read_bytes())]
    return sorted(found, key=lambda one: (asked.kinds.index(one.kind), one.number))


def _job(asked: argparse.Namespace, folder: Path, mine: int) -> list[Outcome]:
    become_subreaper()
    outcomes = []
    with _bench(asked, folder, SMALL) as bench:
        for kind in asked.kinds:
            faults = KINDS[kind](bench, asked.count) if kind != LATE_KILL else []
            for turn, fault in enumerate(_chosen(faults, asked.number)):
                if turn % asked.jobs == mine:
                    outcomes.append(_carry_out(bench, fault))
    return outcomes


def _carry_out(bench: Bench, fault: Fault) -> Outcome:
    outcome = bench.carry_out(fault)
    print(report.line(outcome), flush=True)
    if outcome.status == "failed":
        log = bench.world(fault.scenario).log
        if log.exists():
            shutil.copyfile(log, log.with_name(f"failed-{fault.kind}-{fault.number}.log"))
    return outcome


def _chosen(faults: Iterable[Fault], number: int | None) -> Iterable[Fault]:
    """All of them, or the one with `number`; faults come in order of their numbers, and some kinds without end."""
    if number is None:
        return faults
    return (fault for fault in takewhile(lambda fault: fault.number <= number, faults) if fault.number == number)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="what random moments and choices come from")
    parser.add_argument("--count", type=int, default=200, help="kills of the stages; other kinds in proportion")
    parser.add_argument("--only", action="append", choices=[*KINDS, LATE_KILL], help="this kind; may be repeated")
    parser.add_argument("--pipeline", choices=list(PIPELINES), default=next(iter(PIPELINES)))
    parser.add_argument("--replay", metavar='"PIPELINE KIND SEED/NUMBER"', help="one fault, as it was printed")
    parser.add_argument("--list", action="store_true", help="list the kinds of fault")
    parser.add_argument("--users", type=int, default=LARGE, help="users of the day that is killed at 90 %%")
    parser.add_argument("--twice-every", type=int, default=10, help="a second rerun after every n-th fault")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="trials at the same time")
    parser.add_argument("--work", type=Path, help="folder for the trials, which is kept; default: a temporary one")
    parser.add_argument("--out", type=Path, default=PROJECT_DIR / "build" / "chaos.json", help="the report as JSON")
    asked = parser.parse_args(arguments)
    asked.number, asked.kinds = None, asked.only or [*KINDS, LATE_KILL]
    if asked.replay:
        try:
            asked.pipeline, kind, place = asked.replay.split()
            asked.seed, asked.number = map(int, place.split("/"))
            asked.kinds, asked.count, asked.jobs = [kind], 1 << 20, 1
            PIPELINES[asked.pipeline], KINDS[kind]
        except (ValueError, KeyError):
            parser.error(f"--replay {asked.replay!r} is not what a fault prints")
    return asked


def _prepare(pipeline: str) -> None:
    """Become the warm parent of all trials: everything imported, nothing open, one thread."""
    code_version()  # asks git once, for all forks
    made = PIPELINES[pipeline](SMALL)
    import_everything(made.flow, made.late_imports)


@contextmanager
def _bench(asked: argparse.Namespace, folder: Path, users: int) -> Iterator[Bench]:
    bench = Bench(PIPELINES[asked.pipeline](users), folder, asked.seed, twice_every=asked.twice_every)
    try:
        yield bench
    finally:
        bench.close()


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen:
        shutil.rmtree(chosen, ignore_errors=True)
        chosen.mkdir(parents=True)
        yield chosen.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="regulars-chaos-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _first_line(documented: object) -> str:
    return (documented.__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
