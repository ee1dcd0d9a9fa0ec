"""What a campaign prints and returns, and that a fault depends on its place in the list alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from chaos.fault import Bench, Outcome
from chaos.findings import Finding
from chaos.late_kill import LateKill, _covered
from chaos.pipelines import PIPELINES
from chaos.report import line, summary, totals, write_json
from regulars.settings import PROJECT_DIR

REPLAY = "daily-loyalty-merge kill-stages 7/1"


def outcome(number: int, status: str = "survived", *findings: Finding) -> Outcome:
    return Outcome("kill-stages", number, "second-day", "SIGKILL", REPLAY, status, 2.0 + number, list(findings))


OUTCOMES = [
    outcome(0),
    outcome(1, "failed", Finding("tables", "raw.orders: 1 and 2"), Finding("files", "a stray")),
    outcome(2, "failed", Finding("locks", "held"), Finding("processes", "sleep")),
    outcome(3, "not injected"),
]


def test_totals_count_faults_by_what_was_found() -> None:
    assert totals(OUTCOMES) == {"injected": 3, "wrong_tables": 1, "stuck_locks": 1, "orphans": 2, "not_injected": 1}
    assert summary(OUTCOMES, None).splitlines()[-1] == "faults injected 3, wrong tables 1, stuck locks 1, orphans 2"
    assert f'--replay "{REPLAY}"' in line(OUTCOMES[1])
    assert "raw.orders: 1 and 2" in line(OUTCOMES[1])
    assert "replay" not in line(OUTCOMES[0])


def test_the_report_says_how_to_repeat_it(tmp_path: Path) -> None:
    late = LateKill(500, 2, 1.0, 2.0, (1.05, 1.2), (1.5, 1.6))
    assert "1.12x" in summary(OUTCOMES, late)
    write_json(tmp_path / "out" / "chaos.json", OUTCOMES, late, seed=7)
    report = json.loads((tmp_path / "out" / "chaos.json").read_text())
    assert report["seed"] == 7
    assert report["faults"][1]["findings"][0] == {"check": "tables", "text": "raw.orders: 1 and 2"}
    assert {"duckdb", "prefect", "python"} <= set(report["versions"])


def test_time_under_way_is_counted_once_and_cut_off_by_a_kill(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.write_text("a start 1\nb start 2\na end 4\nb end 3\nc start 6\nc end 7\nd start 9\n")
    assert _covered(marks, 9.5) == 3 + 1 + 0.5


def test_random_moments_come_from_kind_seed_and_number_alone(tmp_path: Path) -> None:
    pipeline = PIPELINES["daily-loyalty-merge"](500)
    bench, other = Bench(pipeline, tmp_path, 7, twice_every=1), Bench(pipeline, tmp_path, 8, twice_every=1)
    assert bench.rng("kill-stages", 3).random() == bench.rng("kill-stages", 3).random()
    assert bench.rng("kill-stages", 3).random() != bench.rng("kill-stages", 4).random()
    assert bench.rng("kill-stages", 3).random() != other.rng("kill-stages", 3).random()


def test_the_command_lists_its_kinds_and_refuses_what_it_does_not_know() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "chaos", *arguments]
        return subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, timeout=120, check=False)

    listed = run("--list")
    assert listed.returncode == 0
    assert {"kill-stages", "commit-points", "disk-full", "late-kill"} <= {
        text.split()[0] for text in listed.stdout.splitlines()
    }
    wrong = run("--replay", "daily-loyalty-merge no-such-kind 7/1")
    assert wrong.returncode == 2
    assert "is not what a fault prints" in wrong.stderr
