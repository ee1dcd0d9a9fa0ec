"""The same deliveries on an S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import boto3
import pytest
from moto.server import ThreadedMotoServer

from regulars.settings import S3Settings

D1, D2 = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.mark.parametrize("formats", [["csv"], ["csv", "parquet"]])
def test_two_days_and_a_rerun_on_s3(new_company, endpoint, formats):
    s3 = S3Settings(endpoint=endpoint, access_key_id="test", secret_access_key="test")
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    bucket = f"teams-{'-'.join(formats)}"  # the server keeps its buckets as long as the process lasts
    client.create_bucket(Bucket=bucket)
    company = new_company(delivery_url=f"s3://{bucket}/daily", s3=s3)
    company.welcome("u1", "u2")
    company.fill(D1, ("u1", 'größe, "x"\n'))
    company.fill(D2, ("u2",))
    first = company.deliver(D1, formats=formats)
    second = company.deliver(D2, formats=formats)
    assert company.rows(first, "full.csv") == [["u1", 'größe, "x"\n', "", "", "", ""]]
    assert company.rows(second, "left.csv") == [["u1", "left_segment"]]
    assert second.manifest.previous.sha256 == first.published.sha256
    assert [company.deliver(day, formats=formats).created for day in (D1, D2)] == [False, False]
    objects = client.list_objects_v2(Bucket=bucket)["Contents"]
    assert len(objects) == 2 * (3 * len(formats) + 1)
