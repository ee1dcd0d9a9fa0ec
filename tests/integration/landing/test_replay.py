"""Quarantine, corrected and typed again: rows come back once, under their own record numbers."""

from __future__ import annotations

import duckdb

from regulars.manifest import day_manifests
from regulars.quality.quarantine import replay
from regulars.storage import open_storage

HEADER = "id,email,amount,born_on,seen_at,is_member,tier\n"


def _replay(place, contract, **entry):
    sources = place.sources(**{"path": "people.csv", **entry})
    run = place.run()
    return replay(contract, sources, place.settings, run, run.as_of)


def test_rows_that_pass_land_once_and_the_others_stay(place) -> None:
    place.write("people.csv", HEADER + "1,,5,,,,\n2,,2000,,,,\n3,,3000,,,,\n3,,3000,,,,\nx,,1,,,,\n5,\n6,,9000,,,,\n")
    first = place.land().manifest
    assert place.rejects(first) == [(2, "max"), (3, "max"), (4, "max"), (5, "type"), (6, "malformed"), (7, "max")]
    assert _replay(place, place.contract()) is None

    contract = place.contract()
    wider = tuple(c.model_copy(update={"max": 5000.0}) if c.name == "amount" else c for c in contract.columns)
    contract = contract.model_copy(update={"columns": wider})
    landed = _replay(place, contract)
    assert landed is not None
    manifest = landed.manifest
    assert (manifest.scope, manifest.revision) == ("add", 2)
    assert place.rows(manifest) == [(2, 2), (3, 3)]
    assert (manifest.rows_read, manifest.rows_loaded, manifest.rows_duplicate, manifest.rows_quarantined) == (
        3,
        2,
        1,
        0,
    )
    listed = f"{place.settings.landing_root}/{manifest.folder}/{manifest.replays[0].name}"
    assert duckdb.sql(f"select batch_id, source, record_number from '{listed}' order by all").fetchall() == [
        (first.batch_id, "people.csv", number) for number in (2, 3, 4)
    ]
    assert _replay(place, contract) is None
    storage = open_storage(place.settings.landing_root, place.settings.s3)
    assert len(day_manifests(storage, "people", place.run().as_of)) == 2
    assert place.land(contract).manifest == first


def test_a_corrected_mapping_repairs_rows_too(place) -> None:
    place.write("people.csv", "nr;when\n1;31/12/2025\n2;2025-12-31\n")
    columns = dict.fromkeys(("email", "amount", "seen_at", "is_member", "tier"), "null")
    columns |= {"id": "nr", "born_on": '"when"'}
    read = {"delimiter": ";", "date_format": "%d/%m/%Y"}
    assert place.rejects(place.land(columns=columns, read=read).manifest) == [(2, "type")]
    columns["born_on"] = "coalesce(try_strptime(\"when\", '%d/%m/%Y'), try_strptime(\"when\", '%Y-%m-%d'))::date"
    landed = _replay(place, place.contract(), columns=columns, read=read)
    assert landed is not None
    assert [str(value) for value in place.rows(landed.manifest, "born_on")[0]] == ["2025-12-31", "2"]


def test_a_newer_revision_makes_old_rejects_void(place) -> None:
    place.write("people.csv", HEADER + "1,,2000,,,,\n")
    place.land()
    place.write("people.csv", HEADER + "1,,200,,,,\n")
    place.land(refresh=True)
    wide = tuple(c.model_copy(update={"max": None}) for c in place.contract().columns)
    assert _replay(place, place.contract(columns=wide)) is None
