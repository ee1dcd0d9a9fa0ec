"""The proxy breaks connections as it says, and lets everything else pass unchanged."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.proxy import Breakage, Proxy, read_report

ANSWER = bytes(range(256)) * 800


@pytest.fixture
def through(tmp_path: Path) -> Iterator[Callable[[Breakage], tuple[bytes, str, dict[str, int]]]]:
    """What a client gets that says COMMIT to a server that answers with 200 kB, through a proxy that breaks."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                heard.append(client.recv(1000))
                try:
                    client.sendall(ANSWER)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()

    def ask(breakage: Breakage) -> tuple[bytes, str, dict[str, int]]:
        report = tmp_path / "proxy.json"
        listener = socket.create_server(("127.0.0.1", 0))
        proxy = Proxy(server.getsockname(), breakage, report)
        threading.Thread(target=_quietly, args=(proxy, listener), daemon=True).start()
        got, end = b"", "whole"
        with socket.create_connection(listener.getsockname(), timeout=2) as client:
            client.sendall(b"COMMIT")
            try:
                while piece := client.recv(65536):
                    got += piece
            except ConnectionResetError:
                end = "reset"
            except TimeoutError:
                end = "silent"
        listener.close()
        assert heard.pop() == b"COMMIT"
        return got, end, read_report(report)

    yield ask
    server.close()


def _quietly(proxy: Proxy, listener: socket.socket) -> None:
    try:
        proxy.serve(listener)
    except OSError:
        return


def test_everything_passes(through: Callable[[Breakage], tuple[bytes, str, dict[str, int]]]) -> None:
    got, end, report = through(Breakage())
    assert (got, end) == (ANSWER, "whole")
    assert report == {"up": 6, "down": len(ANSWER), "struck": False}


@pytest.mark.parametrize(
    ("breakage", "ended"),
    [
        (Breakage("reset", 50_000), "reset"),
        (Breakage("cut", 50_000), "whole"),
        (Breakage("blackhole", 50_000), "silent"),
        (Breakage("commit"), "reset"),
    ],
)
def test_it_breaks_as_it_says(
    through: Callable[[Breakage], tuple[bytes, str, dict[str, int]]], breakage: Breakage, ended: str
) -> None:
    got, end, report = through(breakage)
    assert report["struck"]
    assert end == ended
    assert len(got) <= 50_000
    assert ANSWER.startswith(got)


def test_a_slow_connection_loses_nothing(through: Callable[[Breakage], tuple[bytes, str, dict[str, int]]]) -> None:
    got, end, report = through(Breakage("trickle", 180_000))
    assert (got, end, report["struck"]) == (ANSWER, "whole", True)


def test_an_action_is_called_once(through: Callable[[Breakage], tuple[bytes, str, dict[str, int]]]) -> None:
    calls: list[str] = []
    got, _, _ = through(Breakage("call", 1000, "down", lambda: calls.append("called")))
    assert (got, calls) == (ANSWER, ["called"])
