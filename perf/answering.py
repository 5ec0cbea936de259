"""A server that answers every request with 200 and an empty object, as fast as it can; it prints its port, and on a line of input how many
requests and bytes there were."""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_LENGTH = b"content-length: "


class Answering(asyncio.Protocol):
    """One connection; ``counted``: requests and bytes of all of them."""

    def __init__(self, counted: list[int]) -> None:
        self._counted, self._kept = counted, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._counted[1] += len(data)
        kept = self._kept + data
        while (head := kept.find(b"\r\n\r\n")) >= 0:
            fields = kept[:head].lower()
            at = fields.find(_LENGTH)
            length = 0 if at < 0 else int(fields[at + len(_LENGTH) :].partition(b"\r")[0])
            if len(kept) < head + 4 + length:
                break
            kept = kept[head + 4 + length :]
            self._counted[0] += 1
            self._transport.write(ANSWER)  # type: ignore[attr-defined] # it is a connection's
        self._kept = kept


async def serve() -> None:
    counted = [0, 0]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(counted), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(*counted, flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
