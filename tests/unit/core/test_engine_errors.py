"""Messages of the engine, repeated without values."""

from __future__ import annotations

import duckdb
import pytest

from regulars.engine_errors import plain_errors, without_values
from regulars.errors import EngineError, RegularsError, SourceError

VALUE = "jane@example.org"


@pytest.mark.parametrize(
    "query",
    [
        f"select cast('{VALUE}' as integer)",
        f"select cast(mail as date) from (values ('{VALUE}')) as people (mail)",
        f"select strptime(mail, '%d') from (values ('{VALUE}')) as people (mail)",
        f"select json_extract(mail, '$.a') from (values ('{VALUE}')) as people (mail)",
        f"select error('no ' || mail) from (values ('{VALUE}')) as people (mail)",
        f"select cast(mail as integer[]) from (values ('{VALUE}')) as people (mail)",
        f"select regexp_matches('x', '(' || mail) from (values ('{VALUE}')) as people (mail)",
        f"select cast('{VALUE}' as uuid)",
        f"attach 'postgresql://user:{VALUE}@127.0.0.1:1/db' as other (type sqlite_of_nobody)",
    ],
)
def test_no_error_of_the_engine_is_repeated_with_its_value(query: str) -> None:
    with duckdb.connect() as engine, pytest.raises(RegularsError) as caught, plain_errors("land people"):
        engine.execute(query)
    error = caught.value
    assert VALUE not in str(error)
    assert "land people" in str(error)
    assert (error.__cause__, error.__context__) == (None, None)


def test_names_are_repeated() -> None:
    with (
        duckdb.connect() as engine,
        pytest.raises(EngineError, match="Table with name nowhere does not exist"),
        plain_errors("build"),
    ):
        engine.execute("select * from nowhere")


def test_an_error_of_ours_loses_what_hangs_on_it() -> None:
    with pytest.raises(SourceError, match="said plainly") as caught, plain_errors("land people"):
        try:
            raise ValueError(VALUE)
        except ValueError:
            raise SourceError("said plainly") from None
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_memory_that_is_used_up_is_said_in_full() -> None:
    said = "Runtime Error in model history (models/history.sql)\n  Out of Memory Error: failed to allocate 32.0 KiB (7.4 GiB/7.4 GiB used)"
    assert "Out of Memory Error: failed to allocate 32.0 KiB (7.4 GiB/7.4 GiB used)" in without_values(said)


def test_a_message_of_dbt_keeps_the_node_and_where_its_sql_lies() -> None:
    said = without_values(
        f"Runtime Error in model stg (models/stg.sql)\n  Conversion Error: Could not convert string '{VALUE}' to INT32\n  \n"
        "  LINE 3: x\n  compiled code at target/run/stg.sql"
    )
    assert VALUE not in said
    assert "model stg" in said
    assert "target/run/stg.sql" in said
    assert without_values("Got 3 results, configured to fail if != 0").startswith("Got 3 results")
