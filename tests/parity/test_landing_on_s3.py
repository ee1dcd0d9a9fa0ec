"""A landing on S3 is read by Snowflake where it is; the worker moves no byte of it."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from fakesnow.server import shared_fs
from moto.server import ThreadedMotoServer
from pydantic import SecretStr
from test_warehouse import CONTRACTS, DAY, NOW, ORDERS, RUN, land

from regulars.engine import allow_s3
from regulars.errors import ConfigError
from regulars.settings import S3Settings, Settings
from regulars.storage import open_storage
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.parity


@pytest.fixture
def on_s3(emulated: None, on_snowflake: Settings) -> Iterator[Settings]:
    """A bucket of a server that speaks S3's protocol, which the emulator can read."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = S3Settings(endpoint=f"http://{host}:{port}", access_key_id="key", secret_access_key=SecretStr("secret"))
    client = boto3.client(
        "s3",
        endpoint_url=access.endpoint,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="landing")
    allow_s3(shared_fs.duck_conn, access)
    integration = on_snowflake.snowflake.model_copy(update={"storage_integration": "REGULARS_S3"})
    yield on_snowflake.model_copy(update={"landing_url": "s3://landing/prod", "s3": access, "snowflake": integration})
    client.close()
    server.stop()


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
