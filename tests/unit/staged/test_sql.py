"""SQL that is made for files on a stage: pure text, judged without a warehouse."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from regulars.contracts import Contract
from regulars.errors import ConfigError, ContractError
from regulars.settings import Settings
from regulars.sources.base import Piece, Request, make_request
from regulars.sources.config import Sources
from regulars.sources.options import ReadOptions
from regulars.staged.expressions import bind_expression, parse_scalar
from regulars.staged.landing import pinned_content
from regulars.staged.listing import StagedFile, stage_place
from regulars.staged.refusals import check_possible, format_of_all
from regulars.staged.rows import plan_staged_rows
from regulars.staged.strptime import pattern_of
from regulars.staged.text_tables import TextTable, file_format, files_clause
from regulars.staged.typed_text import input_of, typed

KINDS = ["varchar", "bigint", "decimal(9,2)", "double", "boolean", "date", "timestamp"]


def request_of(contract: dict[str, Any] | None = None, settings: Settings | None = None, **entry: Any) -> Request:
    columns = [
        {"name": "id", "data_type": "bigint", "description": "x"},
        {"name": "kind", "data_type": "varchar", "description": "x"},
    ]
    facts = {
        "source": "web",
        "table": "clicks",
        "description": "x",
        "owner": "x",
        "mode": "snapshot",
        "key": ("id",),
        "columns": columns,
    }
    sources = Sources.model_validate(
        {
            "connections": {"lake": {"kind": "files", "path": "s3://exports/it's"}},
            "tables": {"clicks": {"from": "lake", "via": "stage", "path": "{as_of}/*.csv", **entry}},
        }
    )
    given = settings or Settings(_env_file=None, pseudonym_key="k")
    return make_request(Contract.model_validate({**facts, **(contract or {})}), sources, given, date(2026, 1, 5))


@pytest.mark.parametrize(
    "text",
    ["(select 1)", "select 1", "a; drop table x", "a, b", "drop table x", "a as b", "a from t", "count(*)", "sysdate()", "random()",
     "current_date", "uuid_string()", "system$wait(1)", "a in (select 1 from t)", "$1", "@stage", "?", ":1", "", "-- a", "a) x; (b",
     "sum(a) over (order by b)", "object_construct(*)", "with a as (select 1) select 2", "call x()", "t.a"],
)  # fmt: skip
def test_only_one_scalar_expression_is_taken(text: str) -> None:
    piece = Piece("a.csv", "", (("a", "VARCHAR"), ("b", "VARCHAR")))
    with pytest.raises(ConfigError, match=r"tables\.clicks\.columns\.id"):
        bind_expression(request_of(), piece, text, "tables.clicks.columns.id")


def test_columns_of_an_expression_are_written_as_the_files_write_them() -> None:
    piece = Piece("a.csv", "", (("Unit Price", "VARCHAR"), ('q"', "VARCHAR")))
    found = bind_expression(request_of(), piece, '"unit price" || \'a;b\' || "q""" /* x */', "place").sql
    assert found == '("Unit Price" || \'a;b\' || "q""")'
    with pytest.raises(ContractError, match="nearest: Unit Price"):
        bind_expression(request_of(), piece, "lower(Unit_Price)", "place")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "read",
    [{}, {"thousands": "'", "decimal": ","}, {"date_format": "%d/%m/%Y", "timestamp_format": "%d.%m.%Y %H:%M:%S.%f"}],
)
def test_typing_is_one_expression_of_snowflakes(kind: str, read: dict[str, Any]) -> None:
    options = ReadOptions(**read)
    found = typed("i0", "t0", kind, options)
    for text in (found.value, found.ok, input_of("x0", kind, options)):
        tree = sqlglot.parse_one(text, read="snowflake")
        assert not list(tree.find_all(exp.Subquery)) and {column.name for column in tree.find_all(exp.Column)} <= {
            "i0",
            "t0",
            "x0",
        }


def test_formats_of_days_and_moments() -> None:
    pattern = pattern_of("%d.%m.%Y (%H:%M)")
    assert (
        pattern.form == r"(\d{1,2})\.(\d{1,2})\.(\d{4}) \(([01]?\d|2[0-3]):(\d{1,2})\)" and pattern.letters == "dmYHM"
    )
    assert pattern.digits("v", "S") == "'00'" and pattern.digits("v", "Y").endswith("'e', 3)")
    for written in ("%d.%m.%y", "%b %d %Y", "%Y-%m", "%Y-%m-%d %d", "%Y-%m-%d %z", "%Y-%m-%d %I %p", "%"):
        with pytest.raises(ValueError, match=r"%|year"):
            pattern_of(written)


def test_text_ends_where_it_ends() -> None:
    """Names of files, columns and values that hold quotes or backslashes are literals and names, and no more."""
    request = request_of()
    listed = files_clause(
        request, [StagedFile("x", key, 1, "e") for key in ("a\nb", "it's", "\\", "'); drop table x; --")]
    )
    assert [token.text for token in sqlglot.tokenize(listed, read="snowflake")][3:10:2] == [
        "a\nb",
        "it's",
        "\\",
        "'); drop table x; --",
    ]
    place = stage_place(request)
    assert (
        place.folder == "s3://exports/it's/2026-01-05/"
        and place.name_of("s3://exports/it's/2026-01-05/a.csv") == "2026-01-05/a.csv"
    )
    names = ["id", "kind", "it's", 'q"q', "b\\"]
    piece = Piece("x'y\\.csv", "select 1", tuple((name, "VARCHAR") for name in names))
    evolving = request_of({"on_drift": "quarantine"})
    rows = plan_staged_rows(evolving, TextTable(piece, 1), is_dated=True)
    (tree,) = sqlglot.parse(rows.select, read="snowflake")
    assert tree is not None
    literals = {found.this for found in tree.find_all(exp.Literal)}
    assert {"it's", 'q"q', "b\\"} <= literals
    assert {found.name for found in tree.find_all(exp.Identifier) if found.args.get("quoted")} == set(names)


def test_a_file_format_puts_off_what_would_change_a_text() -> None:
    sql = file_format(request_of(read={"delimiter": "'", "encoding": "latin-1"}), "csv", "a.csv")
    for part in (
        "field_delimiter = ''''",
        "encoding = 'ISO88591'",
        "null_if = ()",
        "escape_unenclosed_field = NONE",
        "parse_header = TRUE",
    ):
        assert part in sql
    lines = file_format(request_of(), "ndjson", "a.ndjson")
    assert "field_delimiter = NONE" in lines and "parse_header = FALSE" in lines


def test_content_is_that_of_files_entry_and_contract() -> None:
    file = StagedFile("a.csv", "a.csv", 3, "etag")
    contents = {
        pinned_content(request, files)
        for request, files in (
            (request_of(), [file]),
            (request_of(), [StagedFile("a.csv", "a.csv", 3, "other")]),
            (request_of(), [StagedFile("a.csv", "a.csv", 4, "etag")]),
            (request_of(), [StagedFile("b.csv", "b.csv", 3, "etag")]),
            (request_of(where="id <> '1'"), [file]),
            (request_of({"duplicates": "keep"}), [file]),
        )
    }
    assert len(contents) == 6 and pinned_content(request_of(), [file]) in contents


def test_the_laptop_and_mixed_formats_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"tables\.clicks\.via: via: stage needs the warehouse snowflake"):
        check_possible(request_of())
    with pytest.raises(ConfigError, match="csv and ndjson"):
        format_of_all(request_of(), ["a.csv", "b.ndjson"])
    assert format_of_all(request_of(read={"format": "ndjson"}), ["a.txt"]) == "ndjson"
    parse_scalar("try_to_number(a, 10, 2)", "place")
