"""An API of lists and people over HTTP, such as a vendor's: it keeps what it is told, and on a seed answers in every way that hurts.

It counts what nobody may do: calls before it said, a person twice in a request, more people than a request holds, an older word after
a newer one.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from random import Random
from threading import Thread
from typing import Any
from urllib.parse import unquote

from operators.activation.webhook import signature

FAULTS = ("429", "429 wait", "500", "502 html", "nothing", "half", "late", "after", "partial")
WAIT_S, ON_THE_WAY_S = 0.3, 0.2
"""What `Retry-After` asks for, and how long after that requests may come that were on their way."""
HOOK_SECRET = "what-only-the-two-of-us-know"
LATE_S = 0.8
"""How late a late answer is: later than whoever asks has patience."""
BATCH_MAX = 50
PAGE = 3


class Receiver:
    """Serves in a thread of its own until `close`. ``faults``: the share of requests that are not answered as they should be."""

    def __init__(self, seed: int = 0, faults: float = 0.0, kinds: tuple[str, ...] = FAULTS, poison: str = "") -> None:
        """``poison``: the id of somebody who spoils every batch."""
        self._random, self._faults, self._kinds, self._poison = Random(seed), faults, kinds, poison
        self.lists: dict[str, dict[str, str]] = {}
        """List → id → e-mail."""
        self.traits: dict[str, Any] = {}
        self.denied: set[str] = set()
        """Who has withdrawn, by any name: nobody of them may be told to have entered."""
        self.counts: Counter[str] = Counter()
        self._versions: dict[tuple[str, str], int] = {}
        self._closed: dict[str, float] = {}
        """By who calls (`X-To`) until when nobody may."""
        self._serving: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def calm(self) -> None:
        """From now on everything is answered as it should be."""
        self._faults = 0.0

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def members(self, name: str) -> set[str]:
        """Who is in a list."""
        return set(self.lists.get(name, ()))

    # ---- HTTP

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a server's callbacks are tasks"
        self._serving.add(task)
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split(" ")
                headers = {}
                while (header := (await reader.readline()).strip()) != b"":
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if not await self._answer(method, path, headers, body, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter) -> bool:
        self.counts["requests"] += 1
        caller, left = headers.get("x-to", ""), self._closed.get(headers.get("x-to", ""), 0.0) - self._loop.time()
        self.counts["early"] += 0 < left < WAIT_S - ON_THE_WAY_S
        fault = self._random.choice(self._kinds) if self._random.random() < self._faults else ""
        self.counts[fault or "well"] += 1
        if fault == "nothing":
            return False
        status, more, content = _REFUSALS.get(fault, (0, {}, b""))
        if fault == "429 wait":
            self._closed[caller] = self._loop.time() + WAIT_S
        if not status:
            status, content = self._do(method, path, headers, body, partial=fault == "partial")
        if fault == "after":
            status, content = 500, b"{}"
        if fault == "late":
            await asyncio.sleep(LATE_S)
        _write(writer, status, {"Content-Type": "application/json", **more}, content, whole=fault != "half")
        await writer.drain()
        return fault != "half"

    # ---- the API

    def _do(self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, partial: bool) -> tuple[int, bytes]:
        path, _, query = path.partition("?")
        match method, *map(unquote, path.strip("/").split("/")):
            case "GET", "lists", name, "members":
                return self._page(name, query)
            case "POST", "lists", name, "members":
                return self._batch(name, json.loads(body)["people"], enter=True, partial=partial)
            case "POST", "lists", name, "remove":
                return self._batch(name, json.loads(body)["people"], enter=False, partial=partial)
            case "PUT", "lists", name, "members", one:
                self._change(name, {"id": one, **json.loads(body or b"{}")}, enter=True)
            case "DELETE", "lists", name, "members", one:
                self._change(name, {"id": one, "key": headers.get("x-key", "")}, enter=False)
            case "PUT", "people", one:
                self.traits[one] = json.loads(body)
            case "DELETE", "people", one:
                self.traits.pop(one, None)
                for members in self.lists.values():
                    members.pop(one, None)
            case "POST", "lists", name, "rows":
                return self._rows(name, json.loads(body), enter=True, partial=partial)
            case "POST", "lists", name, "rows", "remove":
                return self._rows(name, json.loads(body), enter=False, partial=partial)
            case "POST", "hook":
                self._hook(headers, body)
            case _:
                self.counts["unknown"] += 1
                return 404, b"{}"
        return 200, b"{}"

    def _page(self, name: str, query: str) -> tuple[int, bytes]:
        members = sorted(self.lists.get(name, ()))
        start = int(query.partition("after=")[2] or 0)
        found = {"members": [{"id": one} for one in members[start : start + PAGE]]}
        return 200, json.dumps(found | ({"cursor": start + PAGE} if start + PAGE < len(members) else {})).encode()

    def _batch(self, name: str, people: list[dict[str, Any]], *, enter: bool, partial: bool) -> tuple[int, bytes]:
        ids = [one["id"] for one in people]
        self.counts["twice"] += len(ids) - len(set(ids))
        self.counts["over"] += len(ids) > BATCH_MAX
        self.counts["people"] += len(ids)
        if self._poison in ids:
            self.counts["poisoned"] += 1
            return (400, b'{"error": "one of them is wrong"}')
        results = []
        for one in people:
            failed = partial and self._random.random() < 0.3
            if not failed:
                self._change(name, one, enter=enter)
            results.append({"status": 503 if failed else 200})
        return 200, json.dumps({"results": results}).encode()

    def _rows(self, name: str, body: dict[str, Any], *, enter: bool, partial: bool) -> tuple[int, bytes]:
        people = [{**dict(zip(body["schema"], row, strict=True)), "id": row[0]} for row in body["data"]]
        return self._batch(name, people, enter=enter, partial=partial)

    def _hook(self, headers: Mapping[str, str], body: bytes) -> None:
        told = json.loads(body)
        seconds = int(headers["x-skep-signature"].partition(",")[0].removeprefix("t="))
        self.counts["unsigned"] += headers["x-skep-signature"] != signature(HOOK_SECRET, seconds, body)
        change, person = told["change"], told["person"]
        one = {"id": person["profile"], "key": headers["x-skep-delivery"], "email": person["identifiers"].get("email", "")}
        self._change(f"hook-{change['segment']}", one, enter=change["type"] == "segment.entered")

    def _change(self, name: str, one: Mapping[str, Any], *, enter: bool) -> None:
        parts = str(one.get("key") or "").removesuffix(":before").rpartition(":")
        version = int(parts[2]) if parts[2].isdecimal() else 0
        before = self._versions.get((name, one["id"]), 0)
        self.counts["out_of_order"] += version < before
        self._versions[name, one["id"]] = max(version, before)
        members = self.lists.setdefault(name, {})
        if enter:
            self.counts["without_consent"] += one["id"] in self.denied
            members[one["id"]] = one.get("email", "")
        else:
            members.pop(one["id"], None)


_REFUSALS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "429": (429, {}, b'{"error": "slower"}'),
    "429 wait": (429, {"Retry-After": str(WAIT_S)}, b'{"error": "slower"}'),
    "500": (500, {}, b'{"error": "oh"}'),
    "502 html": (502, {"Content-Type": "text/html"}, b"<html>Bad gateway</html>"),
}


def _write(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], content: bytes, *, whole: bool) -> None:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content) + (0 if whole else 100)}", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
