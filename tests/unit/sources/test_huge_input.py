"""Input that is far too big, each in a process of its own: refused or landed, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BIG = 100_000_000
MEMORY_MB = 1_300  # a landing may take 1 GB, and the process has its libraries besides
SECONDS = 120
PROGRAM = """
import json, sys
from datetime import date, datetime
from pathlib import Path
from regulars.contracts import Column, Contract
from regulars.errors import RegularsError
from regulars.landing import land
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource

folder, path, read = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
columns = [Column(name="id", data_type="bigint", description="k"), Column(name="v", data_type="varchar", description="v")]
contract = Contract(source="s", table="people", description="d", owner="o", mode="snapshot", key=("id",),
                    columns=tuple(columns), on_drift="evolve")
entry = TableSource.model_validate({"from": "place", "path": path, "read": read})
sources = Sources(connections={"place": Connection(kind="files", path=str(folder))}, tables={"people": entry})
try:
    done = land(contract, sources, Settings(home=folder / "home", _env_file=None),
                Run("r", "t", date(2026, 1, 25), datetime(2026, 1, 26))).manifest
    said = {"loaded": done.rows_loaded, "quarantined": done.rows_quarantined}
except RegularsError as error:
    said = {"error": error.message[:300], "remedy": error.remedy}
# Not ru_maxrss: a process begins with that of the one that starts it.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(json.dumps({**said, "mb": int(peak.split()[1]) // 1024}))
"""


def _land(folder: Path, path: str, **read: object) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), path, json.dumps(read)],
        capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    assert int(str(found["mb"])) < MEMORY_MB, found
    return found


def _pieces(*parts: tuple[bytes, int]) -> bytes:
    return b"".join(part * count for part, count in parts)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "content", "read", "expected"),
    [
        ("a.csv", ((b"id,v\n1,", 1), (b"x", BIG), (b"\n2,y\n", 1)), {}, "longer than read.max_line_bytes"),
        ("a.csv", ((b"id,v\n1,", 1), (b"x", BIG - 9), (b"\n2,y\n", 1)), {"max_line_bytes": BIG}, 2),
        ("a.csv", ((b'id,v\n1,"', 1), (b"x\n", BIG // 2), (b'"\n2,y\n', 1)), {}, "unterminated quote at line 2"),
        ("a.csv", ((b'id,v\n1,"', 1), (b"x", BIG), (b'"\n2,y\n', 1)), {}, "nothing of it was landed"),
        ("a.csv", ((b"id,v\n1,", 1), (b"x", BIG)), {}, "last line is longer than read.max_line_bytes"),
        ("a.csv", ((b'id,v\n1,a\n2,"', 1), (b"x\n", BIG // 2), (b'"', 1)), {}, "nothing of it was landed"),
        ("a.ndjson", ((b'{"id":1}\n{"id":2,"v":"', 1), (b"x", BIG), (b'"}', 1)), {}, "last line is longer"),
        ("a.csv", ((b"x", BIG), (b"\n1,2\n", 1)), {}, "first record cannot be read"),
        ("a.csv", ((b"id,v", 1), (b",x", 100_000), (b"\n", 1)), {}, "more than read.max_columns"),
        ("a.csv", ((b"id,v\n", 1), (b"broken\n", 3_000_000)), {}, "more than 100000 broken records"),
        (
            "a.ndjson",
            ((b'{"id":1,"v":"', 1), (b"x", BIG), (b'"}\n{"id":2}\n', 1)),
            {},
            "longer than read.max_line_bytes",
        ),
        (
            "a.ndjson",
            ((b'{"id":1,"v":"', 1), (b"x", BIG - 99), (b'"}\n', 1)),
            {"max_line_bytes": BIG},
            "needs more memory",
        ),
        ("a.json", ((b'[{"id":1,"v":"', 1), (b"x", BIG), (b'"}]', 1)), {}, "longer than read.max_line_bytes"),
        ("a.json", ((b"[", 20_000_000),), {}, "cannot be read"),
        ("a.ndjson", ((b'{"a":', 300_000), (b"1", 1), (b"}", 300_000)), {}, 0),
    ],
)
def test_huge_text(tmp_path: Path, name: str, content, read: dict[str, object], expected: str | int) -> None:
    (tmp_path / name).write_bytes(_pieces(*content))
    found = _land(tmp_path, name, **read)
    if isinstance(expected, int):
        assert found.get("loaded") == expected, found
    else:
        assert expected in str(found.get("error")), found
        assert found["remedy"]


@pytest.mark.long
def test_huge_parquet_and_gzip_bombs(tmp_path: Path) -> None:
    import gzip

    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": [1, 2], "v": ["x" * BIG, "y"]}), tmp_path / "a.parquet")
    assert _land(tmp_path, "a.parquet")["loaded"] == 2
    wide, packed = tmp_path / "wide", tmp_path / "packed"
    wide.mkdir()
    packed.mkdir()
    pq.write_table(pa.table({f"c{n}": [1] for n in range(100_000)}), wide / "b.parquet")
    assert "more than read.max_columns" in str(_land(wide, "b.parquet")["error"])
    chunk = (b"1," + b"x" * 998 + b"\n") * 10_000
    with gzip.open(packed / "bomb.csv.gz", "wb", compresslevel=1) as bomb:
        bomb.write(b"id,v\n")
        for _ in range(200):
            bomb.write(chunk)
    assert "times as much" in str(_land(packed, "bomb.csv.gz")["error"])
