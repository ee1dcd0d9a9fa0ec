"""When a connection counts as silent."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from regulars.sources.silence import watched


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection: the client's, the server's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        yield client, server


def test_a_connection_without_bytes_is_shut(pair) -> None:
    client, _ = pair
    client.settimeout(5)
    with watched(0.3) as watch, watch.following(client.fileno()):
        assert client.recv(1) == b""
        assert watch.has_struck
        assert "sent nothing for 0.3 seconds" in str(watch.error("here"))


def test_bytes_that_we_have_not_read_are_no_silence(pair) -> None:
    client, server = pair
    server.send(b"x" * 10)
    with watched(0.3) as watch, watch.following(client.fileno()):
        time.sleep(1)
        assert not watch.has_struck
        assert client.recv(10) == b"x" * 10


def test_bytes_now_and_then_are_no_silence(pair) -> None:
    client, server = pair
    with watched(0.4) as watch, watch.following(client.fileno()):
        for _ in range(6):
            time.sleep(0.2)
            server.send(b"x")
            client.recv(1)
        assert not watch.has_struck
        assert watch.error("here") is None


def test_connections_that_a_library_opens_are_found_and_others_left_alone(pair) -> None:
    client, _ = pair
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, watched(0.3) as watch:
        with watch.following(client.fileno()):
            pass  # the port of the server is known from here
        with socket.create_server(("127.0.0.1", 0)) as unrelated:
            with watch.opening():
                other = socket.create_connection(unrelated.getsockname())
            accepted, _ = unrelated.accept()
        time.sleep(1)
        assert not watch.has_struck
        accepted.send(b"x")
        assert other.recv(1) == b"x"
        other.close()
        accepted.close()
        assert elsewhere


def test_nothing_is_watched_after_the_end(pair) -> None:
    client, server = pair
    with watched(0.3) as watch, watch.following(client.fileno()):
        pass
    time.sleep(0.6)
    server.send(b"x")
    assert client.recv(1) == b"x"
    assert not watch.has_struck
