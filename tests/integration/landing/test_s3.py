"""Sources and landings on S3, against a server that speaks its protocol."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from regulars.errors import SourceError, TransientError
from regulars.landing import land
from regulars.quality.quarantine import replay
from regulars.settings import PROJECT_DIR, S3Settings
from regulars.sources.config import Connection
from tests.integration.landing.flaky_s3 import How, flaky

HEADER = "id,email,amount,born_on,seen_at,is_member,tier\n"


@pytest.fixture
def s3() -> Iterator[S3Settings]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield S3Settings(endpoint=f"http://{host}:{port}", access_key_id="key", secret_access_key="secret")
    server.stop()


UPLOAD = """
import os, signal, sys
from regulars.settings import PROJECT_DIR, S3Settings
from regulars.storage import S3Storage
storage = S3Storage("s3://lake/landing", S3Settings(endpoint=sys.argv[1], access_key_id="key", secret_access_key="secret"))
with storage._fs.open_output_stream("lake/landing/part-0000.parquet") as stream:
    stream.write(b"a" * 1_000_000)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_in_the_middle_of_an_upload_leaves_nothing_in_the_bucket(s3: S3Settings) -> None:
    client = boto3.client(
        "s3", endpoint_url=s3.endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client.create_bucket(Bucket="lake")
    assert s3.endpoint is not None
    assert subprocess.run([sys.executable, "-c", UPLOAD, s3.endpoint], cwd=PROJECT_DIR, check=False).returncode == -9
    assert client.list_objects_v2(Bucket="lake").get("Contents", []) == []
    assert client.list_multipart_uploads(Bucket="lake").get("Uploads", []) == []


def test_files_and_landings_on_s3(place, s3: S3Settings) -> None:
    client = boto3.client(
        "s3", endpoint_url=s3.endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )
    client.create_bucket(Bucket="exports")
    client.create_bucket(Bucket="lake")
    client.put_object(
        Bucket="exports", Key="crm/people-2026-01-25-1.csv", Body=(HEADER + "1,,5,,,,\n2,,2000,,,,\n").encode()
    )
    client.put_object(
        Bucket="exports", Key="crm/people-2026-01-25-2.csv.gz", Body=gzip.compress((HEADER + "3,,5,,,,\n").encode())
    )
    client.put_object(Bucket="exports", Key="crm/deep/people-2026-01-25-3.csv", Body=b"not asked for")
    settings = place.settings.model_copy(update={"landing_url": "s3://lake/landing", "s3": s3})
    sources = place.sources(Connection(kind="files", path="s3://exports/crm/"), path="people-{as_of}-*.csv*")
    contract = place.contract()

    first = land(contract, sources, settings, place.run())
    assert first.created
    manifest = first.manifest
    assert [(part.source, part.rows) for part in manifest.parts] == [
        ("people-2026-01-25-1.csv", 1),
        ("people-2026-01-25-2.csv.gz", 1),
    ]
    assert not land(contract, sources, settings, place.run()).created
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket="lake")["Contents"]]
    assert sorted(key.rsplit("/", 1)[1] for key in keys) == [
        "manifest.json",
        "part-0000.parquet",
        "part-0001.parquet",
        "rejects-0000.parquet",
    ]

    wide = tuple(column.model_copy(update={"max": None}) for column in contract.columns)
    repaired = replay(place.contract(columns=wide), sources, settings, place.run(), place.run().as_of)
    assert repaired is not None
    assert repaired.manifest.rows_loaded == 1
    assert replay(place.contract(columns=wide), sources, settings, place.run(), place.run().as_of) is None

    gone = place.sources(Connection(kind="files", path="s3://exports/crm/"), path="absent-{as_of}.csv")
    with pytest.raises(SourceError, match=r"no file s3://exports/crm/absent-2026-01-25\.csv"):
        land(contract, gone, settings, place.run(), refresh=True)


@pytest.mark.parametrize("how", ["503", "reset"])
def test_an_overloaded_server_is_asked_again(place, s3: S3Settings, how: How) -> None:
    client, lake = made(s3)
    client.put_object(Bucket=lake, Key="in/people.csv", Body=(HEADER + "1,,5,,,,\n2,,2000,,,,\n").encode())
    assert s3.endpoint is not None
    with flaky(s3.endpoint, how, lambda number: number % 3 == 0) as (endpoint, hit):
        settings = place.settings.model_copy(
            update={"landing_url": f"s3://{lake}/landing", "s3": s3.model_copy(update={"endpoint": endpoint})}
        )
        sources = place.sources(Connection(kind="files", path=f"s3://{lake}/in"), path="people.csv")
        landed = land(place.contract(), sources, settings, place.run())
        assert (landed.manifest.rows_loaded, landed.manifest.rows_quarantined) == (1, 1)
        assert not land(place.contract(), sources, settings, place.run()).created
    assert len(hit) > 3
    assert {request.split()[0] for request in hit} & {"PUT", "POST"}, "also while it writes"
    listed = [
        entry["Key"].rsplit("/", 1)[1] for entry in client.list_objects_v2(Bucket=lake, Prefix="landing/")["Contents"]
    ]
    assert sorted(listed) == ["manifest.json", "part-0000.parquet", "rejects-0000.parquet"]


@pytest.mark.parametrize("how", ["503", "reset"])
def test_a_server_that_stays_overloaded_ends_the_landing_without_a_trace(place, s3: S3Settings, how: How) -> None:
    client, lake = made(s3)
    place.write("people.csv", HEADER + "1,,5,,,,\n")
    assert s3.endpoint is not None
    writing = threading.Event()
    with flaky(s3.endpoint, how, lambda number: writing.is_set()) as (endpoint, _):
        settings = place.settings.model_copy(
            update={"landing_url": f"s3://{lake}/landing", "s3": s3.model_copy(update={"endpoint": endpoint})}
        )
        sources = place.sources(path="people.csv")
        land(place.contract(), sources, settings, place.run())
        before = [entry["Key"] for entry in client.list_objects_v2(Bucket=lake, Prefix="landing/")["Contents"]]
        place.write("people.csv", HEADER + "1,,5,,,,\n2,,5,,,,\n")
        writing.set()
        with pytest.raises(TransientError, match=rf"S3 did not answer as it should for s3://{lake}/landing") as caught:
            land(place.contract(), sources, settings, place.run(), refresh=True)
        assert "secret" not in str(caught.value)
    assert [entry["Key"] for entry in client.list_objects_v2(Bucket=lake, Prefix="landing/")["Contents"]] == before


def made(s3: S3Settings) -> tuple[Any, str]:
    """A client of the server, and a bucket of its own: all servers of a process share what they hold."""
    client = boto3.client(
        "s3", endpoint_url=s3.endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )
    lake = f"lake-{uuid4()}"
    client.create_bucket(Bucket=lake)
    return client, lake
