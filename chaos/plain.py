"""A flow's own function without Prefect: the order of work is the flow's, its tasks are called as plain functions.

Starting Prefect takes longer than the day it runs, so most faults hit the same stages without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from typing import Any, ClassVar

THREADS = 16  # Prefect starts every submitted task at once; a day has thirteen tables


class PlainTask:
    """What flows use of a task: a call, and `submit` for a call in a thread of the run's `pool`."""

    pool: ClassVar[ThreadPoolExecutor]

    def __init__(self, work: Callable[..., Any]) -> None:
        self._work = work

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._work(*arguments, **named)

    def submit(self, *arguments: Any, **named: Any) -> PlainFuture:
        return PlainFuture(self.pool.submit(self._work, *arguments, **named))


class PlainFuture:
    """What flows use of a task's future; it is its own state."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    @property
    def state(self) -> PlainFuture:
        return self

    def wait(self) -> None:
        self._future.exception()

    def result(self, raise_on_failure: bool = True) -> Any:
        error = self._future.exception()
        return error if error is not None and not raise_on_failure else self._future.result()


class PlainDbtRunner:
    """dbt's own runner in place of prefect-dbt's, which asks a Prefect server for blocks that profiles may name."""

    def __init__(self, **_: Any) -> None:
        pass

    def invoke(self, arguments: list[str]) -> Any:
        from dbt.cli.main import dbtRunner

        return dbtRunner().invoke([*arguments, "--log-level", "warn"])


def import_everything(flow: str, late: Sequence[str] = ()) -> None:
    """Import what a run of `flow` (`module:function`) imports late, and modules `late`, so that forks of this process start at once."""
    import duckdb
    import great_expectations  # noqa: F401
    from dbt.adapters.duckdb import Plugin  # noqa: F401
    from dbt.cli.main import cli  # noqa: F401

    import regulars.quality.duckdb_dialect
    import regulars.quality.quarantine  # noqa: F401

    for module in (flow.split(":")[0], *late):
        import_module(module)
    duckdb.default_connection().close()  # the one that importing makes; its threads would not survive a fork


def run_plain(flow: str, **parameters: Any) -> Any:
    """Run the function of `flow` in this process, which must be a fork that ends with it: tasks are replaced for good."""
    module, name = flow.split(":")
    work = getattr(import_module(module), name).fn
    with ThreadPoolExecutor(THREADS, thread_name_prefix="task") as PlainTask.pool:
        _replace_tasks()
        return work(**parameters)


def _replace_tasks() -> None:
    from prefect import Task

    for found in [module for name, module in sys.modules.items() if name.split(".")[0] in ("flows", "tasks")]:
        for name, value in list(vars(found).items()):
            if isinstance(value, Task):
                setattr(found, name, PlainTask(value.fn))
            elif name == "PrefectDbtRunner":
                setattr(found, name, PlainDbtRunner)
            elif name.endswith("_artifact") and getattr(value, "__module__", "").startswith("prefect."):
                setattr(found, name, lambda *_, **__: None)
