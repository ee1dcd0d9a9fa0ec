"""Landings and deliveries on S3, with access from Prefect blocks, against a server that speaks S3's protocol."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from prefect.blocks.system import Secret
from prefect_aws import AwsClientParameters, AwsCredentials, S3Bucket
from pydantic import SecretStr

from flows.loyalty import daily_loyalty_merge
from regulars.errors import ConfigError
from regulars.settings import Settings
from tasks.blocks import resolve_block, with_blocks
from tasks.context import open_context

DAY = date(2026, 1, 5)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client.create_bucket(Bucket="loyalty")
    yield client
    client.close()
    server.stop()


@pytest.mark.whole
def test_the_daily_merge_lands_and_delivers_on_s3(
    s3: Any, world: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = AwsCredentials(
        aws_access_key_id="key",
        aws_secret_access_key=SecretStr("secret"),
        region_name="us-east-1",
        aws_client_parameters=AwsClientParameters(endpoint_url=s3.meta.endpoint_url),
    )
    credentials.save("regulars", overwrite=True)
    S3Bucket(bucket_name="loyalty", bucket_folder="out", credentials=credentials).save(
        "regulars-delivery", overwrite=True
    )
    home = world("s3")
    monkeypatch.setenv("REGULARS_S3__BLOCK", "regulars")
    monkeypatch.setenv("REGULARS_LANDING_URL", "s3://loyalty/landing")
    monkeypatch.setenv("REGULARS_DELIVERY_URL", "block://s3-bucket/regulars-delivery/segments")
    monkeypatch.setenv("REGULARS_DATA_DOCS_URL", "block://s3-bucket/regulars-delivery/docs")
    monkeypatch.setenv("REGULARS_S3__ENCRYPTION", "AES256")

    merged = daily_loyalty_merge(DAY)

    keys = {
        found["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="loyalty")
        for found in page["Contents"]
    }
    assert len([key for key in keys if key.startswith("landing/") and key.endswith("manifest.json")]) == 13
    delivered = [key for key in keys if key.startswith("out/segments/")]
    assert len([key for key in delivered if key.endswith("manifest.json")]) == 2
    assert {key.rsplit(".", 1)[1] for key in delivered} == {"csv", "parquet", "json"}
    assert {s3.head_object(Bucket="loyalty", Key=key)["ServerSideEncryption"] for key in keys} == {"AES256"}
    assert "out/docs/index.html" in keys and len([key for key in keys if key.startswith("out/docs/validations/")]) > 10
    assert not (home / "landing").exists()
    assert not (home / "deliveries").exists()
    assert all(result.new for result in merged.loaded)
    shutil.rmtree(home / "data_docs")  # the next worker has a home of its own
    assert all(not result.new for result in daily_loyalty_merge(DAY).loaded)
    index = s3.get_object(Bucket="loyalty", Key="out/docs/index.html")["Body"].read().decode()
    assert len(set(re.findall(r"validations/marts/loyalty_master/([^/]+)/", index))) == 2, "both runs are shown"
    again = {
        found["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="loyalty")
        for found in page["Contents"]
    }
    assert {key for key in again if not key.startswith("out/docs/")} == {
        key for key in keys if not key.startswith("out/docs/")
    }


def test_a_secret_block_fills_in_a_connection(prefect_server: None) -> None:
    Secret(value=SecretStr("postgresql://reader:pw@dw/a")).save("dw-a-url", overwrite=True)
    assert resolve_block("secret", "dw-a-url") == "postgresql://reader:pw@dw/a"


def test_a_block_that_is_not_there_is_named(prefect_server: None) -> None:
    settings = Settings(_env_file=None, s3={"block": "nobody-made-this"})
    with pytest.raises(ConfigError, match="aws-credentials/nobody-made-this"):
        with_blocks(settings)


def test_only_who_uses_the_store_needs_its_block(
    prefect_server: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path))
    monkeypatch.setenv("REGULARS_OPERATIONAL_URL", "block://secret/operational-url")
    (tmp_path / "sources.yml").write_text(
        'connections:\n  files: {kind: files, path: "."}\n  store: {kind: postgres, url: "operational:"}\n'
        "tables:\n  orders: {from: files, path: orders.csv}\n  customer_engagement: {from: store, table: staging.stg_customer_engagement}\n"
    )
    monkeypatch.setenv("REGULARS_SOURCES", str(tmp_path / "sources.yml"))
    assert open_context("ingest", DAY, ["orders"]).tables == ("orders",)
    with pytest.raises(ConfigError, match="no Prefect block secret/operational-url"):
        open_context("ingest", DAY, ["customer_engagement"])
    Secret(value=SecretStr("postgresql://store:pw@db.example.com/ops")).save("operational-url", overwrite=True)
    context = open_context("ingest", DAY, ["customer_engagement"])
    assert context.sources.connections["store"].url == "postgresql://store:pw@db.example.com/ops"
