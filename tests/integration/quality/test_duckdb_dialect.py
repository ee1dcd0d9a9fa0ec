"""The dialect: results outlive their connection, and a long one is never cut off silently."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from regulars.quality.duckdb_dialect import DRIVER, ROWS_KEPT, register_dialect


@pytest.fixture
def engine(tmp_path: Path) -> sqlalchemy.Engine:
    register_dialect()
    return sqlalchemy.create_engine(f"{DRIVER}:///{tmp_path}/w.duckdb")


def read(engine: sqlalchemy.Engine, count: int) -> sqlalchemy.CursorResult[tuple[int]]:
    with engine.connect() as connection:
        return connection.execute(sqlalchemy.text(f"select range as n from range({count})"))


@pytest.mark.parametrize("count", [0, 1, ROWS_KEPT])
def test_results_outlive_their_connection(engine: sqlalchemy.Engine, count: int) -> None:
    assert [row.n for row in read(engine, count).fetchall()] == list(range(count))


def test_a_cut_off_result_says_so(engine: sqlalchemy.Engine) -> None:
    assert len(read(engine, ROWS_KEPT + 1).fetchmany(200)) == 200
    assert list(read(engine, ROWS_KEPT + 1).keys()) == ["n"]
    with pytest.raises(RuntimeError, match="more than 1000 rows"):
        read(engine, ROWS_KEPT + 1).fetchall()
    result = read(engine, ROWS_KEPT + 1)
    with pytest.raises(RuntimeError, match="more than 1000 rows"):
        while result.fetchone() is not None:
            pass
    result = read(engine, ROWS_KEPT + 1)
    with pytest.raises(RuntimeError, match="more than 1000 rows"):
        while result.fetchmany(300):
            pass


def test_it_opens_the_file_beside_plain_connections(engine: sqlalchemy.Engine, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("create table t as select 7 as n")
        with engine.connect() as other:
            assert other.execute(sqlalchemy.text("select n from t")).scalar() == 7
            assert other.execute(sqlalchemy.text("select current_setting('TimeZone')")).scalar() == "UTC"
    engine.dispose()
