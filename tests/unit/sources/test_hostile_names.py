"""Names of files and columns that other parts would take for patterns or commands are names, and nothing else."""

from __future__ import annotations

import json
import os

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.errors import ConfigError, SourceError

HEADER = "id,email,amount,born_on,seen_at,is_member,tier\n"
ROW = "1,a,1,,,,\n"
COMMANDS = ['q"uote', "q'uote", "semi;colon", "new\nline", 'x"; drop table x; --', "x'); drop table x; --", "ünï😀",
            "{as_of}", "100%s", "star*", "ques?", "br[a]c", "back\\slash", "$HOME", "-x", " space", "a,b"]  # fmt: skip


def _evolving(place):
    return place.contract(on_drift="evolve")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("kind", ["csv", "json", "ndjson", "parquet"])
def test_a_file_is_the_one_that_was_found_whatever_it_is_called(place, kind: str, name: str) -> None:
    """`star*` must not read `starfish` as well, nor `br[a]c` read `brac` in its place."""
    content = {"csv": "id\n{}\n", "json": '[{{"id": {}}}]', "ndjson": '{{"id": {}}}\n'}
    for number, folder in ((1, "in"), (2, "beside")):
        for found in [name] if number == 1 else ["starfish", "queso", "brac"]:
            path = place.folder / folder / f"{found}.{kind}"
            path.parent.mkdir(exist_ok=True)
            if kind == "parquet":
                pq.write_table(pa.table({"id": [number]}), path)
            else:
                path.write_text(content[kind].format(number))
    for other in (place.folder / "beside").iterdir():
        os.link(other, place.folder / "in" / f".{other.name}")  # hidden files are no source
    manifest = place.land(_evolving(place), path=f"in/*.{kind}").manifest
    assert (place.rows(manifest), manifest.parts[0].source) == ([(1, 1)], f"in/{name}.{kind}")


def test_a_pattern_in_a_name_reads_no_neighbour(place) -> None:
    for name in ("people*.csv", "people2.csv"):
        place.write(name, HEADER + ROW.replace("1", name[6].replace("*", "1"), 1))
    manifest = place.land(path="people?.csv").manifest
    assert [(part.source, part.rows) for part in manifest.parts] == [("people*.csv", 1), ("people2.csv", 1)]
    assert place.rows(manifest) == [(1, 1), (2, 1)]


def test_paths_that_cannot_be_looked_up_say_so(place) -> None:
    for path, said in (("a" * 300 + ".csv", "File name too long"), ("**x/*.csv", "Invalid pattern")):
        with pytest.raises(ConfigError, match=said):
            place.land(path=path)
    (place.folder / "in").mkdir()
    with open(os.fsencode(place.folder / "in") + b"/x\xff.csv", "w") as file:
        file.write(HEADER)
    with pytest.raises(SourceError, match=r"name is not UTF-8 text: in/x\\udcff\.csv"):
        place.land(path="in/*.csv")
    long = "n" * 240
    place.write(f"{long}.csv", HEADER.encode() + b"1,\xff,1,,,,\n2,a,1,,,,\n")
    assert place.rows(place.land(path="n*.csv").manifest) == [(2, 2)]


@pytest.mark.parametrize("name", [*COMMANDS, "a" * 500, "file_row_number", "accepted_number", "line", "code", "broken"])
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_a_column_may_have_any_name(place, kind: str, name: str) -> None:
    rows = [{"id": "1", name: "v"}, {"id": "x", name: "w"}]
    path = place.folder / f"people.{kind}"
    if kind == "csv":
        quoted = '"' + name.replace('"', '""') + '"'
        path.write_bytes(f"id,{quoted}\n1,v\nx,w\n".encode() + b"\xff,2\n")
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        duckdb.from_arrow(pa.Table.from_pylist(rows)).query("t", f"copy t to '{path}' (format json)")
    wanted = name.strip() if kind == "csv" else name
    columns = {"email": wanted, **dict.fromkeys(("amount", "born_on", "seen_at", "is_member", "tier"), "null")}
    manifest = place.land(path=path.name, columns=columns).manifest
    assert place.rows(manifest, "id, email") == [(1, "v", 1)]
    rejected = place.rejects(manifest, "record_number, rule, raw")
    assert [row[:2] for row in rejected] == ([(2, "type"), (3, "encoding")] if kind == "csv" else [(2, "type")])
    assert json.loads(rejected[0][2]) == {"id": "x", wanted: "w"}
