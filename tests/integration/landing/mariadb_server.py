"""A MariaDB server of a test's own: data in a folder, a free port, ended with the test."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path("/usr/sbin"), Path("/usr/bin"), Path("/usr/libexec")


@dataclass(frozen=True)
class MariaDB:
    """A running server with a database `erp`, and a user who may read it, whose password is not plain."""

    port: int
    socket: Path

    @property
    def url(self) -> str:
        return f"mysql://reader:p%40ss%3Aw%2Frd@127.0.0.1:{self.port}/erp"

    def run(self, *statements: str) -> str:
        """Run SQL as the server's owner."""
        done = subprocess.run(
            [_program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--default-character-set=utf8mb4", "--batch",
             "--skip-column-names", "erp"],
            input=";\n".join(statements), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def mariadb_server(folder: Path, *options: str) -> Iterator[MariaDB]:
    """Started in about three seconds; skips where Debian's mariadb-server-core and mariadb-client-core are not installed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = f"--user={getpass.getuser()}"
    subprocess.run(
        [_program("mariadb-install-db"), "--no-defaults", user, f"--datadir={folder / 'data'}", "--skip-test-db",
         "--auth-root-authentication-method=normal"],
        capture_output=True, check=True,
    )  # fmt: skip
    end = folder / "s.sock"
    command: Sequence[str] = [
        _program("mariadbd"), "--no-defaults", user, f"--datadir={folder / 'data'}", f"--socket={end}", f"--port={port}",
        "--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
        *options,
    ]  # fmt: skip
    with open(folder / "log", "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            _wait(folder / "log", server)
            made = MariaDB(port, end)
            subprocess.run(
                [_program("mariadb"), "--no-defaults", f"--socket={end}", "-e",
                 "create database erp character set utf8mb4; create user reader identified by 'p@ss:w/rd'; "
                 "grant select on erp.* to reader"],
                check=True, capture_output=True,
            )  # fmt: skip
            yield made
        finally:
            server.kill()


def _wait(log: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        said = log.read_text(errors="replace")
        if "ready for connections" in said:
            return
        assert server.poll() is None, said[-2000:]
        time.sleep(0.05)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


def _program(name: str) -> str:
    found = shutil.which(name) or next((str(path / name) for path in ROOT if (path / name).exists()), None)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install mariadb-server-core mariadb-client-core")
    return found


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A key and the certificate that it signs for 127.0.0.1."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "key.pem", folder / "certificate.pem"
