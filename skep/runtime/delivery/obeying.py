"""What people want of deliveries: entries of a file, in their order, each answered in the ledger in the commit that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
from msgspec.structs import replace

from operators.activation.ledger_row import ERASE, ERASED, IN, OUT, LedgerRow, Place
from operators.activation.pace import resumed
from operators.activation.wanted import again
from skep.runtime.delivery.addressed import Addressed
from skep.runtime.delivery.books import Books
from skep.runtime.delivery.intake import key_of

LOOK_US = 50_000
"""How often the file is looked at."""
Order = dict[str, Any]
Answer = dict[str, Any]


class Orders:
    """Of one space. ``path``: the file, which may not be there."""

    def __init__(self, path: Path, books: Books, destinations: Callable[[], dict[str, Addressed]]) -> None:
        self._path, self._books, self._destinations = path, books, destinations
        self._looked = 0
        self._does: dict[str, Callable[[Order, int], Answer]] = {
            "pause": self._pace,
            "resume": self._pace,
            "erase": self._erase,
            "retry": self._retry,
            "drop": self._drop,
            "reconcile": self._reconcile,
        }

    def look(self, now: int) -> bool:
        """Do what has been written since the last look; whether there was anything."""
        if now - self._looked < LOOK_US:
            return False
        self._looked, heard = now, self._books.heard()
        try:
            if self._path.stat().st_size <= heard:
                return False
        except FileNotFoundError:
            return False
        with self._path.open("rb") as stream:
            stream.seek(heard)
            lines = stream.read().split(b"\n")
        for line in lines[:-1]:
            heard += len(line) + 1
            if line.strip():
                self._obey(line, now)
        self._books.hear(heard)
        return True

    def _obey(self, line: bytes, now: int) -> None:
        try:
            order = orjson.loads(line)
            identity, does = str(order["messageId"]), self._does.get(str(order.get("type")))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return
        answer = {"error": f"no known order: {order.get('type')}"} if does is None else does(order, now)
        self._books.answer(identity, orjson.dumps({"ok": "error" not in answer, "type": order.get("type"), **answer}))

    # ---- destinations

    def _pace(self, order: Order, _now: int) -> Answer:
        to = self._destinations().get(str(order["destination"]))
        if to is None:
            return _unknown(order)
        to.pace = replace(to.pace, paused=True) if order["type"] == "pause" else resumed(to.pace)
        self._books.noted.keep_pace(to.name, to.pace)
        return {"applied": True}

    def _erase(self, order: Order, now: int) -> Answer:
        to = self._destinations().get(str(order["destination"]))
        if to is None:
            return _unknown(order)
        if "erase" not in to.renderer.calls:
            return {"error": f"{to.name} has no call `erase`: say in `requests: {{erase: …}}` of its file how somebody is forgotten there"}
        place = Place(to.name, ERASE, key_of(str(order["profile"])))
        self._books.put(place, LedgerRow(ERASED, 0, 0, next_at=now, since=now), self._books.get(place))
        return {"applied": True}

    # ---- deliveries

    def _retry(self, order: Order, now: int) -> Answer:
        count = 0
        for place in self._places(order["rows"]):
            row = self._books.get(place)
            if row is not None and (row.dead or row.attempts):
                self._books.put(place, again(row, now), row)
                count += 1
        return {"retried": count}

    def _drop(self, order: Order, _now: int) -> Answer:
        count = 0
        for place in self._places(order["rows"]):
            row = self._books.get(place)
            if row is not None:
                self._books.put(place, None, row)
                count += 1
        return {"dropped": count}

    def _reconcile(self, order: Order, now: int) -> Answer:
        """``missing``: rows of people whom the other side does not have; ``too_many``: of those whom it should not have."""
        sent = 0
        for place in self._places(order["missing"]):
            row = self._books.get(place)
            if row is not None and row.wanted == IN:
                self._books.put(place, replace(row, acknowledged="", called=True, dead=False, attempts=0, reason="", next_at=now), row)
                sent += 1
        for place in self._places(order["too_many"]):
            row = self._books.get(place)
            if row is None or row.wanted == OUT:
                fresh = row or LedgerRow(OUT, 0, 0, since=now)
                self._books.put(place, replace(fresh, acknowledged=IN, dead=False, attempts=0, reason="", next_at=now), row)
                sent += 1
        return {"sent": sent}

    @staticmethod
    def _places(rows: Iterable[list[str]]) -> Iterable[Place]:
        """``[destination, audience, profile]`` of each."""
        return [Place(destination, audience, key_of(profile)) for destination, audience, profile in rows]


def _unknown(order: Order) -> Answer:
    return {"error": f"no destination that is in force and told by requests is called {order['destination']}"}
