"""Decisions of people: in files as spreadsheets write them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regulars.cleansing.decision_files import read_csv, write_csv
from regulars.cleansing.decisions import FIELDS, Decision, guarded, read_decisions, unguarded
from regulars.cleansing.rules import MappingRule
from regulars.errors import ConfigError, ContractError

RULES = {
    "level": MappingRule(mapping="words", vocabulary=("high", "low")),
    "note": MappingRule(mapping="words", vocabulary="learned"),
    "spend": MappingRule(mapping="numbers"),
}


def record(**cells: str) -> Mapping[str, str]:
    return {"status": "approved", **cells}


@given(st.text())
@example("'=1")
@example("-5")
@example("\r\n=1")
def test_a_guarded_cell_runs_nowhere_and_is_read_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_decisions_are_read_by_kind() -> None:
    records = [
        (2, record(column="level", raw="hi", canonical="high")),
        (3, record(column="spend", raw="5 oz", number=" -5.50 ", canonical="left alone")),
        (4, record(column="spend", raw="?", number="(null)")),
        (5, record(column="note", raw="x", canonical="any word")),
        (6, {"column": "level", "raw": "lo", "status": " REJECTED "}),
        (7, {"column": "level", "raw": "mid", "status": ""}),
        (8, {"column": "nowhere", "raw": "mid", "status": "proposed"}),
    ]
    assert read_decisions(records, RULES, "f.csv") == [
        Decision("level", "hi", "approved", "high", line=2),
        Decision("spend", "5 oz", "approved", Decimal("-5.50"), line=3),
        Decision("spend", "?", "approved", None, line=4),
        Decision("note", "x", "approved", "any word", line=5),
        Decision("level", "lo", "rejected", None, line=6),
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (record(column="level", raw="hi", canonical="hihg"), "canonical: 'hihg': it is not in the vocabulary (nearest: 'high')"),
        (record(column="level", raw="hi"), "canonical: is empty"),
        (record(column="levle", raw="hi", canonical="high"), "column: 'levle' is mapped by no contract that this store has seen (nearest: 'level')"),
        (record(column="spend", raw="5", number="1.234,5"), "number: '1.234,5' is not written plainly"),
        (record(column="spend", raw="5", number="1e5"), "number: "),
        (record(column="spend", raw="5", number="NaN"), "number: "),
        (record(column="spend", raw="5", number="5", decided_at="yesterday"), "decided_at: 'yesterday' is no time"),
        ({"column": "level", "raw": "hi", "status": "ok"}, "status: 'ok' is none of approved, proposed, rejected"),
    ],
)  # fmt: skip
def test_a_wrong_record_is_named_by_file_line_and_column(cells: Mapping[str, str], said: str) -> None:
    with pytest.raises(ContractError) as error:
        read_decisions([(2, record(column="level", raw="ok", canonical="low")), (7, cells)], RULES, "review.csv")
    assert f"review.csv: line 7: {said}" in error.value.message and error.value.remedy


def test_contradictions_and_many_errors() -> None:
    twice = [
        (2, record(column="level", raw="hi", canonical="high")),
        (9, record(column="level", raw="hi", canonical="low")),
    ]
    with pytest.raises(ContractError, match=r"line 9: raw: the same value was decided otherwise in line 2"):
        read_decisions(twice, RULES, "f.csv")
    with pytest.raises(ContractError, match=r"and 5 more lines"):
        read_decisions([(n, {"status": "?"}) for n in range(15)], RULES, "f.csv")


def test_files_as_people_save_them(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    path.write_bytes(
        'Column;Raw;Status;Canonical;mine\r\nlevel;"a;\n\'=b";approved;hôch;x\r\n;;;;\r\nlevel;c;rejected\r\n'.encode(
            "utf-8-sig"
        )
    )
    assert read_csv(path) == [
        (2, {"column": "level", "raw": "a;\n'=b", "status": "approved", "canonical": "hôch", "mine": "x"}),
        (5, {"column": "level", "raw": "c", "status": "rejected"}),
    ]
    path.write_text("column,raw\nlevel,a\n")
    with pytest.raises(ContractError, match="line 1: columns column, raw, status are needed"):
        read_csv(path)
    path.write_bytes(b"column,raw,status\n\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_csv(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_csv(tmp_path / "none.csv")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12), max_size=5))
@example(["=cmd|' /C calc'!A0", "\r", '"', "'-5", "a,b;c\td\n"])
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, raws: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    records = [{**dict.fromkeys(FIELDS, ""), "column": "level", "raw": raw} for raw in raws]
    assert write_csv(path, records) == len(raws)
    assert [cells for _, cells in read_csv(path)] == records
