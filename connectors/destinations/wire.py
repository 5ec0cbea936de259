"""The one seam to the outside: requests go out, replies come back. Nothing here knows a person, a destination or a ledger.

A thread of its own has the connections; no redirect is followed, TLS is verified, a reply is read up to 1 MB.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple, Protocol

import httpcore
import httpx

from connectors.destinations.addresses import PrivateAddress, PublicOnly

REPLY_BYTES_MAX = 1_000_000
IDLE_SECONDS = 20.0
"""How long a connection is kept that nobody uses: shorter than servers do."""
CLOSING_SECONDS = 5.0
_AGENT = "skep"
_PORTS = {b"http": 80, b"https": 443}


class Outgoing(NamedTuple):
    """A request: ``number`` comes back with its reply; ``private``: the address may be private."""

    number: int
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout_s: float
    private: bool = False


class Incoming(NamedTuple):
    """What came back. ``failure`` is empty, or ``timeout``, ``connection``, ``half``, ``tls``, ``too_large`` or ``private``."""

    number: int
    status: int
    headers: dict[str, str]
    body: bytes
    failure: str
    milliseconds: int


class Wire(Protocol):
    """Where requests are handed over; a test has one of its own."""

    def start(self, requests: Sequence[Outgoing]) -> None:
        """Put requests on the wire; returns at once."""

    def finished(self) -> list[Incoming]:
        """The replies that have come since the last call, and what there is of those that failed."""

    def close(self) -> None:
        """Let go of all connections; what is under way is given up."""


class HttpWire:
    """Requests over HTTP/1.1, each on a connection that is used again."""

    def __init__(self, trusted: ssl.SSLContext | None = None) -> None:
        """``trusted``: the certificates that count; the world's by default."""
        self._trusted = trusted or httpx.create_ssl_context()
        self._replies: SimpleQueue[Incoming] = SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._any, self._public = httpcore.AnyIOBackend(), PublicOnly()
        self._idle: dict[tuple[bool, str], list[httpcore.AsyncHTTPConnection]] = {}
        """Connections that nobody uses, by whether their address may be private, and where they lead. The library's own pool looks at
        each of them for each of them whenever a request begins."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()

    def start(self, requests: Sequence[Outgoing]) -> None:
        self._loop.call_soon_threadsafe(self._begin, tuple(requests))

    def finished(self) -> list[Incoming]:
        found: list[Incoming] = []
        try:
            while True:
                found.append(self._replies.get_nowait())
        except Empty:
            return found

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(CLOSING_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSING_SECONDS)
        self._loop.close()

    def _begin(self, requests: Sequence[Outgoing]) -> None:
        for request in requests:
            task = self._loop.create_task(self._exchange(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in (one for some in self._idle.values() for one in some):
            await connection.aclose()

    def _connection(self, origin: httpcore.Origin, *, private: bool) -> httpcore.AsyncHTTPConnection:
        """One that is open and not in use, else a new one."""
        idle = self._idle.get((private, str(origin)), [])
        while idle:
            found = idle.pop()
            if not found.has_expired():
                return found
            self._dropped(found)
        backend = self._any if private else self._public
        return httpcore.AsyncHTTPConnection(origin, self._trusted, keepalive_expiry=IDLE_SECONDS, network_backend=backend)

    def _dropped(self, connection: httpcore.AsyncHTTPConnection) -> None:
        task = self._loop.create_task(connection.aclose())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _exchange(self, request: Outgoing) -> None:
        begun = time.monotonic()
        answer = _Answer()
        failure = ""
        try:
            async with asyncio.timeout(request.timeout_s):
                await self._ask(request, answer)
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no reply, and the request is answered by that
            failure = _failure(error, answer)
        taken = round((time.monotonic() - begun) * 1000)
        self._replies.put(Incoming(request.number, answer.status, answer.headers, bytes(answer.body), failure, taken))

    async def _ask(self, request: Outgoing, answer: _Answer) -> None:
        url, body = httpcore.URL(request.url), request.body or b""
        headers = {
            "Host": _host(url), "User-Agent": _AGENT, "Accept": "*/*", "Accept-Encoding": "identity", "Content-Length": str(len(body)),
            **request.headers,
        }  # fmt: skip
        pairs = [(name.encode("latin-1", "replace"), value.encode()) for name, value in headers.items()]
        connection = self._connection(url.origin, private=request.private)
        try:
            response = await connection.handle_async_request(httpcore.Request(request.method, url, headers=pairs, content=body))
            await _read(response, answer)
        except BaseException:
            self._dropped(connection)
            raise
        if connection.is_idle():
            self._idle.setdefault((request.private, str(url.origin)), []).append(connection)
        else:
            self._dropped(connection)


def _host(url: httpcore.URL) -> str:
    host = url.host.decode()
    return host if url.port in {None, _PORTS.get(url.scheme)} else f"{host}:{url.port}"


async def _read(response: httpcore.Response, answer: _Answer) -> None:
    answer.status = response.status
    answer.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    unpack = _unpacking(answer.headers.get("content-encoding", ""))
    try:
        async for chunk in response.aiter_stream():
            answer.body += unpack(chunk)
            if len(answer.body) > REPLY_BYTES_MAX:
                raise _TooLarge
    finally:
        await response.aclose()


class _TooLarge(Exception):  # noqa: N818 (an answer, not an error)
    """A reply is longer than is read."""


@dataclass(slots=True)
class _Answer:
    """A reply as far as it has come."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


def _unpacking(encoding: str) -> Callable[[bytes], bytes]:
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return bytes
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
    return lambda chunk: inflate.decompress(chunk, REPLY_BYTES_MAX + 1)


def _failure(error: BaseException, answer: _Answer) -> str:
    """What kind of failure it was."""
    if isinstance(error, PrivateAddress):
        return "private"
    if isinstance(error, _TooLarge):
        return "too_large"
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return "timeout"
    if answer.status:
        return "half"
    causes = [error, error.__cause__, error.__context__]
    if any(isinstance(one, ssl.SSLError) or "SSL" in str(one) or "certificate" in str(one).lower() for one in causes):
        return "tls"
    return "connection"


def send(wire: Wire, requests: Sequence[Outgoing], wait: Callable[[], None]) -> list[Incoming]:
    """The replies to requests, in their order, once all have come; ``wait`` is called in between."""
    wire.start(requests)
    found: dict[int, Incoming] = {}
    while len(found) < len(requests):
        found.update((reply.number, reply) for reply in wire.finished())
        if len(found) < len(requests):
            wait()
    return [found[request.number] for request in requests]
