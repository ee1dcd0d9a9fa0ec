"""One retry policy for all tasks: only what may heal is tried again."""

from __future__ import annotations

import logging
from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from regulars.errors import StillRunning, TransientError


def may_heal(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Retry condition: see `heals`."""
    try:
        state.result()
    except Exception as error:
        return heals(error)
    return False


def heals(error: Exception) -> bool:
    """A lost connection, a timeout or a lock heals; a wrong file, setting or row does not, nor what was waited for long enough."""
    return isinstance(error, TransientError) and not isinstance(error, StillRunning)


# Results stay in memory: they are small, and a run never continues from another run's results.
TASK: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False, "log_prints": False}
RETRIED: dict[str, Any] = {
    **TASK,
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_heal,
}


def _is_news(record: logging.LogRecord) -> bool:
    """Prefect says for every task in a thread that its timeout cannot interrupt a blocking call: true, and known.

    What blocks is bounded below: statement timeouts of the sources, request timeouts of S3, the lock's own limit.
    """
    return "Timeouts in worker threads" not in record.getMessage()


logging.getLogger("prefect.task_runs").addFilter(_is_news)
