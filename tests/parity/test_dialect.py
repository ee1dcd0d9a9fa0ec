"""What engines are known to do differently: each said once, in a macro or a dialect, and the same on both."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import pytest
from snowflake_sql import faults
from test_warehouse import CONTRACTS

from regulars.segments.holdout import hmac_pads, key_in_session
from regulars.segments.unload import open_dialect
from regulars.settings import PROJECT_DIR, Settings
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.parity
MACROS = PROJECT_DIR / "dbt" / "warehouse" / "macros"
DAYS = {"since": date(2026, 1, 4), "until": date(2026, 1, 5)}  # a Sunday and a Monday


def say(engine: str, call: str, folder: Path = MACROS / "cross_db", **variables: Any) -> str:
    """What a macro of the dbt project says to an engine."""
    said: dict[str, Any] = {}

    class Adapter:
        @staticmethod
        def dispatch(name: str, package: str) -> Any:
            return said.get(f"{engine}__{name}") or said[f"default__{name}"]

    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    values = {
        "adapter": Adapter,
        "return": lambda value: value,
        "var": lambda name: variables.get(name, "UTC"),
        "said": said,
    }
    text = "".join(path.read_text() for path in sorted(folder.glob("*.sql")))
    module = environment.from_string(text, globals=values).make_module()
    said.update({name: value for name, value in vars(module).items() if callable(value)})
    return str(eval(call, {}, said)).strip()


def ask(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with open_warehouse(settings) as warehouse:
        return warehouse.query(sql)


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("days_between(\"date '2025-12-28'\", \"date '2026-01-05'\")", 8),
        ("days_between(\"date '2026-01-05'\", \"date '2025-12-28'\")", -8),
        ("add_days(\"date '2026-02-27'\", 2)", date(2026, 3, 1)),
        ("add_days(\"date '2026-01-01'\", -1)", date(2025, 12, 31)),
    ],
)
def test_days_are_counted_and_not_weeks_or_months(either: Settings, call: str, value: Any) -> None:
    ((found,),) = ask(either, f"select {say(either.warehouse, call)} as found")
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("moment", "day"), [("2026-03-29 00:30:00", 29), ("2026-03-29 22:30:00", 30), ("2026-01-05 23:30:00", 6)]
)
def test_the_business_date_of_a_moment(either: Settings, moment: str, day: int) -> None:
    call = f"business_date(\"cast('{moment}' as timestamp)\")"
    ((found,),) = ask(either, f"select {say(either.warehouse, call, timezone='Europe/Berlin')} as found")
    assert found.day == day


def test_a_calendar_has_each_day_once(either: Settings) -> None:
    bounds = "(select date '2026-02-27' as first_on, date '2026-03-02' as last_on)"
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute(f"create table marts.bounds as select * from {bounds} as b")
        calendar = say(either.warehouse, "calendar('marts.bounds')")
        found = warehouse.query(f"select day from ({calendar}) as c order by day")
    days = [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2)]
    assert [(day, type(day)) for (day,) in found] == [(day, date) for day in days]


def test_the_value_at_the_greatest_position(either: Settings) -> None:
    rows = "(select 'a' as v, 1 as p union all select 'b', 3 union all select 'c', 2) as r"
    greatest = say(either.warehouse, "value_at_greatest('v', 'p')")
    assert ask(either, f"select {greatest} from {rows}") == [("b",)]


def test_nulls_come_last_where_the_text_says_so(either: Settings) -> None:
    rows = "(select 1 as n union all select null union all select 2) as r"
    assert ask(either, f"select n from {rows} order by n desc nulls last") == [(2,), (1,), (None,)]


def test_a_share_is_divided_as_doubles(either: Settings) -> None:
    rows = "(select 1 as a, 3 as b) as r"
    ((found,),) = ask(either, f"select cast(a as double) / nullif(b, 0) as share from {rows}")
    assert found == 1 / 3


def test_names_without_quotes_are_the_same_in_any_case(either: Settings) -> None:
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute("create table Marts.Sold as select 1 as Order_Id")
        assert warehouse.query("select order_id from marts.sold") == [(1,)]
        assert warehouse.arrow("select ORDER_ID from MARTS.SOLD").column_names[0].lower() == "order_id"


def test_text_compares_by_bytes(either: Settings) -> None:
    rows = "(select 'b' as t union all select 'B' union all select 'ä' union all select 'a ' union all select 'a') as r"
    assert ask(either, f"select t from {rows} order by t") == [("B",), ("a",), ("a ",), ("b",), ("ä",)]


@pytest.mark.parametrize("key", [b"short", b"k" * 100])
def test_the_keyed_hash_is_hmac_sha256(either: Settings, key: bytes) -> None:
    sql = open_dialect(either)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute("create table marts.people as select 'ann@example.com' as email")
        with key_in_session(warehouse, sql, key):
            found = warehouse.query(f"select {sql.keyed_hash('email')} from marts.people")
    assert found == [(hmac.new(key, b"ann@example.com", hashlib.sha256).hexdigest(),)]
    assert hmac_pads(key)[0] != hmac_pads(key)[1]


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("select from where", "cannot be parsed"),
        ("select 1; select 2", "not one statement"),
        ("pragma table_info('x')", "function table_info"),
        ("select list_transform(a, x -> x) from t", "function list_transform"),
        ("select row_number() over (order by a desc) from t", "nulls first"),
        ("select a / b from t", "division"),
        ("select datediff('week', a, b) from t", "date part"),
        ("select dayofweek(a) from t", "week begins"),
        ("select hash(a) from t", "hash"),
        ('select "user_id" from t', "upper case"),
        ('select "Asked"."id" from (select 1 as id) as "Asked"', "upper case"),
        ("select rows from ops.deliveries", "reserved"),
        ("select concat_ws(',', a, b) from t", "differ"),
    ],
)
def test_a_statement_that_leans_on_one_engine_is_found(sql: str, fault: str) -> None:
    assert any(re.search(fault, found) for found in faults(sql)), faults(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select row_number() over (order by a desc nulls last, b) as n from t",
        "select cast(a as double) / nullif(b, 0) as share from t",
        'copy into @raw.uploads/x/full.csv from (select user_id as "user_id" from t) FILE_FORMAT = (TYPE = CSV) HEADER = TRUE',
        "alter schema a.b swap with a.c",
        "remove @raw.uploads/out/1",
        "select row_number() over (order by a asc nulls first) as n from t",
        "show user functions in REGULARS.marts",
        'select "Asked".n from (select 1 as n) as "Asked"',
    ],
)
def test_a_good_statement_passes(sql: str) -> None:
    assert faults(sql) == []
