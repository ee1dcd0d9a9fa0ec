"""Which business days a run has to build again, from what is landed and what was built before.

Each stage remembers for itself which batches of its raw tables it has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from regulars.engine import quote
from regulars.settings import Settings
from regulars.stages import Stage
from regulars.warehouse.base import Warehouse

STATE_BYTES = 2000

# Batches that count now but were not built, and batches that were built but count no more.
CHANGED = """
select min(coalesce(e.as_of, b.as_of))
from (select * from ops.effective_batches where table_name in ({tables})) as e
full outer join (select * from ops.built_batches where stage = ?) as b on e.batch_id = b.batch_id
where e.batch_id is null or b.batch_id is null
"""


@dataclass(frozen=True)
class BuildDays:
    """One dbt run: everything from `first_day` to `as_of`, which become as if built day by day."""

    first_day: date
    as_of: date


def days_to_build(
    warehouse: Warehouse, stage: Stage, requested: date, *, chunk_days: int, rebuild: bool = False
) -> list[BuildDays]:
    """Runs that bring the marts up to date, oldest first; the last one ends on the newest day known.

    A day that is landed late or again is built together with every day after it, and with no earlier one. `rebuild`
    starts from the first landed day. Long stretches are cut into `chunk_days` landed days, so that memory stays flat.
    """
    landed = landed_days(warehouse, stage)
    last = max([requested, *landed])
    ((changed,),) = warehouse.query(CHANGED.format(tables=_listed(stage)), [stage.name])
    first = landed[0] if rebuild and landed else min(changed or last, last)
    return _cut(first, last, [day for day in landed if first <= day <= last], chunk_days)


def landed_days(warehouse: Warehouse, stage: Stage) -> list[date]:
    """Business dates on which an effective batch of the stage's raw tables landed, oldest first."""
    days = f"select distinct as_of from ops.effective_batches where table_name in ({_listed(stage)}) order by as_of"
    return [day for (day,) in warehouse.query(days)]


def chunk_days(warehouse: Warehouse, stage: Stage, settings: Settings) -> int:
    """Landed days to build at once: all of a stage without states per day, else `history_chunk_days`, or as many as fit
    in the memory limit of a local engine.

    A state of a day is some 60 columns; joined, compared and sorted it takes 2 kB (1 million users, 8 GB: 7 days ran out of memory). A
    day has as many states as its largest batch has rows.
    """
    if not stage.states_per_day:
        return max(1, len(landed_days(warehouse, stage)))
    if settings.warehouse != "duckdb":
        return settings.history_chunk_days
    ((rows,),) = warehouse.query(
        f"select max(rows_loaded) from ops.ingestion_logs where status = 'loaded' and table_name in ({_listed(stage)})"
    )
    fitting = settings.memory_bytes // (STATE_BYTES * max(rows or 0, 1))
    return max(1, min(settings.history_chunk_days, fitting))


def remember_built(warehouse: Warehouse, stage: Stage, until: date | None = None) -> None:
    """Record that `stage` holds exactly the effective batches of its tables up to the day `until` (all without one)."""
    with warehouse.transaction():
        forget_built(warehouse, stage)
        warehouse.execute(
            f"""insert into ops.built_batches (stage, batch_id, table_name, as_of)
               select ?, batch_id, table_name, as_of from ops.effective_batches
               where as_of <= ? and table_name in ({_listed(stage)})""",
            [stage.name, until or date.max],
        )


def forget_built(warehouse: Warehouse, stage: Stage) -> None:
    """Record that `stage` must be built from the first day on: so a rebuild that is killed is carried on to its end."""
    warehouse.execute("delete from ops.built_batches where stage = ?", [stage.name])


def _listed(stage: Stage) -> str:
    return ", ".join(quote(table) for table in stage.tables)


def _cut(first: date, last: date, days: Sequence[date], size: int) -> list[BuildDays]:
    starts = list(days[::size]) or [first]
    ends = [days[min(index + size, len(days)) - 1] for index in range(0, len(days), size)] or [last]
    return [BuildDays(start, end) for start, end in zip([first, *starts[1:]], [*ends[:-1], last], strict=True)]
