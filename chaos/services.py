"""What trials talk to besides files: a PostgreSQL server, and a server that speaks S3's protocol (an emulator, moto)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import yaml

from chaos.pipelines import Pipeline
from chaos.processes import Child, call, fork
from chaos.proxy import Address, free_port
from regulars.postgres.server import EmbeddedPostgres, running_server, start_server, stop_server

BUCKET = "chaos"
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


class PostgresService:
    """The departmental databases, on an embedded server of the harness; clients come through a proxy's port."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "source"
        self.port = free_port()
        self.home.mkdir(parents=True, exist_ok=True)
        self._log = folder / "source.log"

    def up(self) -> EmbeddedPostgres:
        """Start it where it does not run."""
        call(lambda: start_server(self.home) and None, self._log)
        server = running_server(self.home)
        if server is None:
            raise RuntimeError(f"PostgreSQL does not run:\n{self._log.read_text()}")
        return server

    @property
    def upstream(self) -> Address:
        return f"{self.up().socket_dir}/.s.PGSQL.5432"

    @property
    def pids(self) -> set[int]:
        server = running_server(self.home)
        return {server.pid} if server else set()

    def url(self, database: str) -> str:
        """Through the proxy; no TLS, since what passes is counted and broken by the proxy."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable&gssencmode=disable"

    def stuck_sessions(self) -> list[str]:
        """Sessions and advisory locks of the pipeline that are there although no run is under way."""
        return [
            f"PostgreSQL: {what}"
            for (what,) in query(
                self.up().uri(),
                "select 'session of ' || application_name || ', ' || state from pg_stat_activity where application_name = 'regulars' "
                "union all select 'advisory lock ' || objid from pg_locks where locktype = 'advisory'",
            )
        ]

    def stop(self) -> None:
        stop_server(self.home)


def query(uri: str, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on a server, outside of any proxy."""
    with psycopg.connect(uri, autocommit=True) as session:
        return session.execute(sql.encode()).fetchall()


def terminate_clients(uri: str) -> None:
    """End every session of the pipeline, as an administrator would."""
    query(
        uri,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() "
        "and backend_type = 'client backend' and application_name = 'regulars'",
    )


def crash(server: EmbeddedPostgres) -> None:
    """Immediate shutdown: as after a power cut, the server recovers when it is started again."""
    os.kill(server.pid, signal.SIGQUIT)


class S3Service:
    """One bucket on a moto server in a process of its own; its content is in memory and can be put back."""

    def __init__(self, folder: Path) -> None:
        self.port, self.server_port = free_port(), free_port()
        self._child: Child = fork(self._serve, folder / "s3.log")
        deadline = time.monotonic() + 60
        while True:
            try:
                self.client.create_bucket(Bucket=BUCKET)
                return
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _serve(self) -> None:
        from moto.server import ThreadedMotoServer

        ThreadedMotoServer(ip_address="127.0.0.1", port=self.server_port, verbose=False).start()
        signal.pause()

    @cached_property
    def client(self) -> Any:
        import boto3

        return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.server_port}", **KEYS)

    @property
    def upstream(self) -> Address:
        return ("127.0.0.1", self.server_port)

    @property
    def environment(self) -> dict[str, str]:
        """Settings of a run that lands and delivers there, through the proxy's port."""
        return {
            "REGULARS_S3__ENDPOINT": f"http://127.0.0.1:{self.port}",
            "REGULARS_S3__ACCESS_KEY_ID": KEYS["aws_access_key_id"],
            "REGULARS_S3__SECRET_ACCESS_KEY": KEYS["aws_secret_access_key"],
            "REGULARS_LANDING_URL": f"s3://{BUCKET}/landing",
            "REGULARS_DELIVERY_URL": f"s3://{BUCKET}/deliveries",
        }

    @property
    def pids(self) -> set[int]:
        return {self._child.pid}

    def content(self) -> dict[str, bytes]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return {key: self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def unfinished_uploads(self) -> list[str]:
        found = self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [upload["Key"] for upload in found]

    def put_back(self, content: dict[str, bytes]) -> None:
        for upload in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            with suppress(Exception):
                self.client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        for key in self.content().keys() - content.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)
        for key, body in content.items():
            self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def stop(self) -> None:
        self._child.kill_group()


def write_sources(
    path: Path,
    pipeline: Pipeline,
    files: Path,
    postgres: PostgresService | None,
    changes: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
) -> None:
    """sources.yml of a world: tables from dated CSV files, or from the databases of `postgres` through its proxy."""
    tables: dict[str, dict[str, object]] = {}
    connections: dict[str, dict[str, object]] = {"files": {"kind": "files", "path": str(files)}}
    for table, database in pipeline.databases.items():
        tables[table] = {"from": "files", "path": f"{table}/{{as_of}}.csv"}
        if postgres:
            options = {"statement_timeout_seconds": 30}
            connections[database] = {"kind": "postgres", "url": postgres.url(database), "options": options}
            tables[table] = {"from": database, "table": f"public.{table}"}
        tables[table].update(changes.get(table, {}))
    path.write_text(yaml.safe_dump({"connections": connections, "tables": tables}))
