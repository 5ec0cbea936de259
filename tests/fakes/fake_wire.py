"""A wire without a network: it keeps what is put on it, and answers when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from connectors.destinations.wire import Incoming, Outgoing


class FakeWire:
    """``answers``: what comes back of a request, by default 200 and an empty object; None: nothing yet."""

    def __init__(self) -> None:
        self.said: list[Outgoing] = []
        self.answers: Callable[[Outgoing], tuple[int, object] | str | None] = lambda _: (200, {})
        self._open: list[Outgoing] = []
        self.refused: set[int] = set()
        """Numbers of the requests that were not answered with 2xx."""

    def start(self, requests: Sequence[Outgoing]) -> None:
        self.said += requests
        self._open += requests

    def finished(self) -> list[Incoming]:
        found = []
        for request in list(self._open):
            answer = self.answers(request)
            if answer is not None:
                self._open.remove(request)
                failure, (status, body) = (answer, (0, None)) if isinstance(answer, str) else ("", answer)
                if failure or not 200 <= status < 300:
                    self.refused.add(request.number)
                content = b"" if body is None else orjson.dumps(body)
                found.append(Incoming(request.number, status, {"content-type": "application/json"}, content, failure, 3))
        return found

    def close(self) -> None:
        self._open = []

    def taken(self) -> list[str]:
        """Method and path of each request since the last call, and its body if it has one."""
        said, self.said = self.said, []
        paths = (f"{one.method} /{one.url.partition('://')[2].partition('/')[2]}" for one in said)
        return [path if not one.body else f"{path} {one.body.decode()}" for path, one in zip(paths, said, strict=True)]
