"""How long a PostgreSQL connection waits for a machine that is gone."""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict

from regulars.sources.config import Connection
from regulars.sources.postgres_connection import conninfo


def test_a_machine_that_is_gone_is_noticed_within_two_minutes_unless_the_url_says_otherwise() -> None:
    found = conninfo_to_dict(conninfo(Connection(kind="postgres", url="postgresql://reader@dw/a")))
    idle, interval, count = (int(str(found[f"keepalives_{name}"])) for name in ("idle", "interval", "count"))
    assert idle + interval * count <= 120
    assert int(str(found["tcp_user_timeout"])) <= 120_000
    patient = conninfo_to_dict(
        conninfo(Connection(kind="postgres", url="postgresql://reader@dw/a?keepalives_idle=600"))
    )
    assert patient["keepalives_idle"] == "600"
