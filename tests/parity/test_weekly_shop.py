"""The weekly refresh of the shop with its science on both engines: equal marts."""

from __future__ import annotations

from pathlib import Path

import pytest
from comparison import columns, relations, rows, same
from test_warehouse import plain

from regulars.postgres.server import stop_server
from regulars.settings import Settings, load_settings
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse import open_warehouse
from tests.integration.shop.small_shop import SmallShop

pytestmark = [pytest.mark.parity, pytest.mark.timeout(3000)]


def test_two_weeks_end_in_equal_marts(
    prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snowflake_access: SnowflakeSettings
) -> None:
    for name, value in snowflake_access.model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(f"REGULARS_SNOWFLAKE__{name.upper()}", plain(value))
    settings: dict[str, Settings] = {}
    for engine in ("duckdb", "snowflake"):
        monkeypatch.setenv("REGULARS_WAREHOUSE", engine)
        shop = SmallShop(tmp_path / engine, monkeypatch)
        try:
            shop.run_week(0)
            shop.run_week(1)
        finally:
            stop_server(shop.home)
        settings[engine] = load_settings()
    found = []
    with open_warehouse(settings["duckdb"]) as here, open_warehouse(settings["snowflake"]) as there:
        names = [name for name in relations(here) if name.startswith("marts.")]
        assert names == [name for name in relations(there) if name.startswith("marts.")]
        assert {"marts.customer_features", "marts.sales_forecast", "marts.unusual_customers"} <= set(names)
        for name in names:
            types, others = columns(here, settings["duckdb"], name), columns(there, settings["snowflake"], name)
            if types != others:
                found.append(
                    f"{name}: {[(c, types.get(c), others.get(c)) for c in {**types, **others} if types.get(c) != others.get(c)]}"
                )
            mine, theirs = (sorted(rows(one, name, list(types)), key=repr_of) for one in (here, there))
            apart = [(a, b) for a, b in zip(mine, theirs, strict=False) if not same(a, b)]
            if len(mine) != len(theirs) or apart:
                found.append(f"{name}: {len(mine)} and {len(theirs)} rows, {len(apart)} differ, {apart[:1]}")
    assert found == [], "\n".join(found)


def repr_of(row: tuple[object, ...]) -> tuple[object, ...]:
    """A key that does not hang on the last digits of doubles."""
    return tuple(f"{value:.6g}" if isinstance(value, float) else str(value) for value in row)
