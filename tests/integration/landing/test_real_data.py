"""Hostile files from public collections: the right rows, or quarantine with a place, or a clear refusal."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from regulars.contracts import Column
from regulars.errors import ContractError
from regulars.sources.csv_files import column_names
from regulars.sources.options import ReadOptions

pytestmark = pytest.mark.real_data


def _text_contract(place, names: list[str], key: str):
    columns = tuple(Column(name=f"c{n}", data_type="varchar", description="text") for n, _ in enumerate(names))
    return place.contract(mode="snapshot", key=(key,), columns=columns, duplicates="keep"), {
        f"c{n}": name for n, name in enumerate(names)
    }


def _land_text(place, path: Path, names: list[str], key: str = "c0", **read):
    contract, columns = _text_contract(place, names, key)
    place.write(path.name, path.read_bytes())
    return place.land(
        contract, path=path.name, columns=columns, read={"format": "csv", **read}, refresh=True, accept=True
    ).manifest


def test_csv_spectrum(place, datasets: Path) -> None:
    for path in sorted((datasets / "csv_spectrum" / "csvs").glob("*.csv")):
        expected = json.loads((datasets / "csv_spectrum" / "json" / f"{path.stem}.json").read_text())
        expected = expected if isinstance(expected, list) else [expected]
        names = list(expected[0])
        manifest = _land_text(place, path, names)
        found = place.rows(manifest, ", ".join(f"c{n}" for n in range(len(names))))
        texts = [[(cell or "").replace("\r\n", "\n") for cell in row[:-1]] for row in found]
        wanted = [[str(row[name]).replace("\r\n", "\n") for name in names] for row in expected]
        if path.stem == "location_coordinates":  # the collection's answer has another telephone number than its file
            texts, wanted = ([row[1:] for row in rows] for rows in (texts, wanted))
        assert (texts, manifest.rows_quarantined) == (wanted, 0), path.name


# What the file leaves open: more header lines than one, none at all, a second table, quotes that contradict each other.
POLLOCK_OTHERWISE = {
    "file_escape_char_0x5C.csv": (83, 0),  # \\' outside of its meaning: the engine drops the backslash
    "file_header_multirow_2.csv": (84, 0),
    "file_header_multirow_3.csv": (85, 0),
    "file_no_header.csv": (83, 0),
    "file_escape_char_0x00.csv": (77, 6),
    "file_field_delimiter_0x20.csv": (52, 31),
    "file_multitable_less.csv": (83, 83),
    "file_multitable_more.csv": (164, 2),
    "file_multitable_same.csv": (165, 1),
    "file_quotation_char_0x27.csv": (50, 33),
}


def test_pollock(make_place, datasets: Path) -> None:
    """Each polluted file lands the rows of its clean twin, or what it leaves open is quarantined, never less."""
    folder = datasets / "pollock"
    for path in sorted((folder / "csv").glob("*.csv")):
        given = json.loads((folder / "parameters" / f"{path.name}_parameters.json").read_text())
        if not given["n_columns"]:
            continue
        read = {
            "delimiter": given["delimiter"],
            "quote": given["quotechar"],
            "skip": given["preamble_lines"],
            "header": given["header_lines"] > 0,
        }
        if given["escapechar"] not in ("", given["quotechar"]):
            read["escape"] = given["escapechar"]
        clean = list(csv.reader(io.StringIO((folder / "clean" / path.name).read_text(), newline="")))[1:]
        names = column_names(path, ReadOptions(**read), path.name)
        place = make_place()
        manifest = _land_text(place, path, names, key="c1", **read)
        found = (manifest.rows_loaded, manifest.rows_quarantined)
        if path.name in POLLOCK_OTHERWISE:
            assert found == POLLOCK_OTHERWISE[path.name], path.name
            continue
        rows = place.rows(manifest, ", ".join(f"c{n}" for n, _ in enumerate(names)))
        assert [_plain(row[:-1]) for row in rows] == [_plain(row) for row in clean], path.name


def _plain(cells) -> list[str]:
    return [(cell or "").replace("\r\n", "\n") for cell in cells]


def test_json_test_suite(place, datasets: Path) -> None:
    """What is JSON lands or is quarantined as "not an object"; what is not never lands as a row."""
    contract = place.contract(
        columns=(Column(name="a", data_type="varchar", description="text"),),
        key=("a",),
        duplicates="keep",
        on_drift="evolve",
    )
    lenient = []
    for path in sorted((datasets / "json_test_suite" / "test_parsing").glob("*.json")):
        place.write(path.name, path.read_bytes())
        try:
            manifest = place.land(contract, path=path.name, refresh=True, accept=True).manifest
        except ContractError:
            assert not path.name.startswith("y_"), path.name
            continue
        assert manifest.rows_read == manifest.rows_loaded + manifest.rows_quarantined
        if path.name.startswith("n_") and manifest.rows_loaded:
            lenient.append(path.name)
    # An object and then a string is a stream of two values: one lands, the other is quarantined.
    assert lenient == ["n_structure_object_with_trailing_garbage.json"]
