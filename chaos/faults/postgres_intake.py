"""The intake into PostgreSQL (COPY of a day) loses its connection: in the middle, or between COMMIT and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaos.fault import Bench, Fault, NotInjected
from chaos.processes import call, fork
from chaos.proxy import Breakage, proxied, read_report
from chaos.services import PostgresService, query
from chaos.world import World

KIND = "postgres-intake"
MODES = ("commit", "reset", "cut", "kill")
COUNTED = """
select coalesce(string_agg(format('select %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from %I.%I as t',
    table_schema || '.' || table_name, table_schema, table_name), ' union all '), 'select null, 0, 0')
from information_schema.tables where table_schema in ('public', 'sample')
"""


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """A tenth of `count`."""
    for number in range(max(1, count // 10)):
        mode, share = MODES[number % len(MODES)], bench.rng(KIND, number).random()
        what = (
            "cut between COMMIT and its answer" if mode == "commit" else f"{mode} after {share:.1%} of the bytes sent"
        )
        yield Fault(KIND, number, "postgres", what, _break(mode, share), judges_itself=True)


def _break(mode: str, share: float) -> Callable[[World], bool]:
    """Load the day through a breaking proxy, load it again plainly: the databases must be as if nothing had been."""

    def inject(world: World) -> bool:
        postgres = world.source
        before, day = (world.pipeline.days[number] for number in (0, 1))
        log = world.folder / "intake.log"
        direct = postgres.up().uri()
        via = postgres.url("postgres")

        def load(uri: str, which: object) -> Callable[[], object]:
            return lambda: world.pipeline.load_postgres(uri, which)  # type: ignore[arg-type]

        call(load(direct, before), log)
        with proxied(postgres.port, postgres.upstream, Breakage(), world.folder) as report:
            call(load(via, day), log)
            sent = read_report(report)["up"]
        expected = contents(postgres, world)
        call(load(direct, before), log)
        if contents(postgres, world) == expected:
            raise RuntimeError("the day that is loaded changes nothing, so its loss would not be seen")
        breakage = Breakage("call" if mode == "kill" else mode, int(share * sent), "up", lambda: None)  # type: ignore[arg-type]
        with proxied(postgres.port, postgres.upstream, breakage, world.folder) as report:
            child = fork(load(via, day), log)
            if mode == "kill":
                while not read_report(report)["struck"] and not child.wait(0.002):
                    pass
                child.kill_group()
            elif not child.wait(120):
                child.kill_group()
                raise RuntimeError("the load hung")
            if not read_report(report)["struck"]:
                raise NotInjected("fewer bytes were sent than that")
        if child.status == 0 and contents(postgres, world) != expected:
            raise RuntimeError("a load that says it succeeded has left other rows")
        call(load(direct, day), log)
        if contents(postgres, world) != expected:
            raise RuntimeError("loaded again, the databases hold other rows than after one whole load")
        return False

    return inject


def contents(postgres: PostgresService, world: World) -> dict[str, list[tuple[object, ...]]]:
    """Count and sum of row hashes of every table of every database, the intake's own state included."""
    found = {}
    for database in sorted(set(world.pipeline.databases.values())):
        uri = postgres.up().uri(database)
        ((counting,),) = query(uri, COUNTED)
        found[database] = sorted(query(uri, counting), key=str)
    return found
