"""A landing on S3 is read by Snowflake where it is; the worker moves no byte of it."""

from __future__ import annotations

import pytest
from test_warehouse import CONTRACTS, DAY, NOW, ORDERS, RUN, land

from regulars.errors import ConfigError
from regulars.settings import Settings
from regulars.storage import open_storage
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.parity


def test_batches_come_from_an_external_stage(on_s3: Settings) -> None:
    manifests = [land(on_s3, DAY, 4), land(on_s3, DAY, 2, revision=2)]
    storage = open_storage(on_s3.landing_root, on_s3.s3)
    for manifest in manifests:
        for path in (on_s3.home_dir / "landing" / manifest.folder).iterdir():
            storage.write_bytes(f"{manifest.folder}/{path.name}", path.read_bytes())
    with open_warehouse(on_s3) as warehouse:
        warehouse.prepare(CONTRACTS)
        assert len(warehouse.load(ORDERS, manifests, RUN, NOW).new) == 2
        assert warehouse.query("select _batch_id, count(*) from raw.orders group by 1 order by 2") == [
            (manifests[1].batch_id, 3), (manifests[0].batch_id, 5),
        ]  # fmt: skip
        assert warehouse.query('select count(*) from quarantine."ROWS"') == [(2,)]


def test_without_an_integration_there_is_no_way(on_s3: Settings) -> None:
    bare = on_s3.snowflake.model_copy(update={"storage_integration": None})
    with (
        open_warehouse(on_s3.model_copy(update={"snowflake": bare})) as warehouse,
        pytest.raises(ConfigError, match="storage integration"),
    ):
        warehouse.prepare(CONTRACTS)
