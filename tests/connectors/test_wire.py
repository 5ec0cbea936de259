"""The one seam to the outside: what comes back of servers that answer badly, and what is never connected to."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from connectors.destinations.addresses import is_private
from connectors.destinations.wire import REPLY_BYTES_MAX, HttpWire, Incoming, Outgoing, send
from tests.patience import until

Answer = Callable[[socket.socket], None]


@contextmanager
def server(answer: Answer, wrap: Callable[[socket.socket], socket.socket] = lambda one: one) -> Iterator[int]:
    """A server that does as it is told with each connection, behind the request's head; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listening.accept()
            except OSError:
                return
            with raw:
                try:
                    with wrap(raw) as one:
                        one.recv(65_536)
                        answer(one)
                except OSError:
                    pass

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


@pytest.fixture
def wire() -> Iterator[HttpWire]:
    found = HttpWire()
    yield found
    found.close()


def asked(wire: HttpWire, url: str, *, private: bool = True, timeout_s: float = 5.0) -> Incoming:
    wire.start([Outgoing(7, "POST", url, {"X-Team": "crm"}, b"{}", timeout_s, private)])
    (found,) = until(wire.finished)
    return found


def said(text: bytes) -> Answer:
    return lambda one: one.sendall(text)


def head(status: int, length: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def test_a_reply_comes_back_as_it_is(wire: HttpWire) -> None:
    with server(said(head(207, 2, "X-Request-Id: r1\r\n") + b"ok")) as port:
        found = asked(wire, f"http://127.0.0.1:{port}/x")
    assert (found.number, found.status, found.body, found.failure) == (7, 207, b"ok", "")
    assert found.headers["x-request-id"] == "r1"


def test_several_come_back_in_their_order(wire: HttpWire) -> None:
    with server(said(head(200, 0))) as port:
        some = [Outgoing(number, "GET", f"http://127.0.0.1:{port}/{number}", {}, None, 5.0, True) for number in range(20)]
        assert [one.number for one in send(wire, some, lambda: None)] == list(range(20))


def test_a_redirect_is_an_answer_and_not_followed(wire: HttpWire) -> None:
    with server(said(head(302, 0, "Location: http://169.254.169.254/\r\n"))) as port:
        assert asked(wire, f"http://127.0.0.1:{port}/x").status == 302


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (said(b""), "connection"),
        (said(head(200, 100) + b"{"), "half"),
        (said(b"what is this"), "connection"),
        (said(head(200, 10**9) + b"x" * (5 * REPLY_BYTES_MAX)), "too_large"),
        (said(head(200, len(bomb := gzip.compress(b"0" * 50_000_000)), "Content-Encoding: gzip\r\n") + bomb), "too_large"),
    ],
    ids=["nothing", "half", "not http", "1 GB", "a bomb"],
)
def test_what_is_no_reply_is_said_to_be_none(wire: HttpWire, answer: Answer, failure: str) -> None:
    with server(answer) as port:
        found = asked(wire, f"http://127.0.0.1:{port}/x")
    assert found.failure == failure
    assert len(found.body) <= 2 * REPLY_BYTES_MAX


def test_nobody_waits_for_ever(wire: HttpWire) -> None:
    with server(lambda one: all(iter(lambda: one.recv(1_000), b"")) and None) as port:
        assert asked(wire, f"http://127.0.0.1:{port}/x", timeout_s=0.2).failure == "timeout"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_not_connected_to(wire: HttpWire, host: str) -> None:
    """Also where a name leads to one."""
    with server(said(head(200, 0))) as port:
        assert asked(wire, f"http://{host}:{port}/x", private=False).failure == "private"


def test_which_addresses_are_private() -> None:
    private = ["192.168.1.1", "100.64.0.1", "::", "224.0.0.1", "fe80::1%eth0"]
    assert [one for one in ("8.8.8.8", "2606:4700::1111", *private) if is_private(one)] == private


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate is made by openssl")
def test_a_certificate_of_nobody_known_is_not_believed(wire: HttpWire, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=other.example",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with server(said(head(200, 0)), lambda one: context.wrap_socket(one, server_side=True)) as port:
        assert asked(wire, f"https://127.0.0.1:{port}/x").failure == "tls"
        trusting = ssl.create_default_context(cafile=str(certificate))
        other = HttpWire(trusting)
        try:
            assert asked(other, f"https://localhost:{port}/x").failure == "tls", "it is of another name"
        finally:
            other.close()
