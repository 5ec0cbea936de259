"""One space's courier over a wire without a network: the last moment, identity, ids of vendors, breakers, each by what it says and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from operators.activation.ledger_row import Place
from skep.project.settings import Settings
from skep.project.spaces import ledger_path
from skep.runtime.delivery.courier import Courier
from skep.runtime.delivery.intake import key_of
from skep.runtime.delivery.reconciling import is_due
from state.ledger import Ledger
from tests.activation.shop import IDENTITY
from tests.engine import Engine
from tests.fakes.fake_wire import FakeWire

Json = dict[str, Any]
SECOND, NOON = 1_000_000, 1_767_268_800_000_000
"""2026-01-01T12:00:00Z."""
ONE_BY_ONE: Json = {
    "enter": {"method": "PUT", "path": "/l/{person.identifiers.email}"},
    "exit": {"method": "DELETE", "path": "/l/{person.identifiers.email}"},
}


class Space:
    """A space with one segment, of whoever says that they are in, and one destination."""

    def __init__(self, folder: Path, destination: Json, kinds: Json | None = None) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "skep.yaml").write_text("spaces: [shop]\nsources: [{name: web, kind: jsonl, path: x}]\n")
        self._kinds = kinds or {}
        self.engine = Engine(folder / "shard", load(self._files(destination)))
        self.engine.start(["p0"])
        self.now, self._number = NOON, 0
        self.open()

    def _files(self, destination: Json) -> dict[str, str]:
        base = {"kind": "http", "connection": {"url": "https://api.example.com"}, "match": ["email"], "audiences": {"vips": "l"},
                "purpose": "marketing", "requests": ONE_BY_ONE}  # fmt: skip
        files = {
            "identity.yaml": IDENTITY,
            "consent.yaml": {"purposes": [{"name": "marketing", "default": "granted"}]},
            "traits.yaml": {"traits": [{"name": "city", "emit": True}]},
            "segments/vips.yaml": {"segment": "vips", "who": {"trait": "vip", "eq": True}, "activate": ["crm"]},
            "destinations/crm.yaml": destination if destination.get("kind") == "webhook" else {**base, **destination},
            **{f"destinations/kinds/{name}.yaml": content for name, content in self._kinds.items()},
        }
        return {path: json.dumps(content) for path, content in files.items()}

    def open(self) -> None:
        """As a process that starts."""
        self.wire = FakeWire()
        self.hooked: list[tuple[Json, str]] = getattr(self, "hooked", [])
        settings = Settings.load(self.folder)
        ledger = Ledger(ledger_path(settings, "shop"))
        self.courier = Courier(settings, self.engine.view, ledger, self.wire, random=Random(1), clock=lambda: self.now)
        self.courier.use(self.engine.view.program.definitions)

    def define(self, destination: Json) -> None:
        self.engine.define(load(self._files(destination)))
        self.courier.use(self.engine.view.program.definitions)

    def says(self, user: str, consent: bool | None = None, **traits: Any) -> None:
        """An identify call, a second later."""
        self._number += 1
        body: Json = {"type": "identify", "messageId": f"m{self._number}", "userId": user, "traits": traits,
                      "timestamp": f"2026-01-01T10:{self._number // 60:02d}:{self._number % 60:02d}Z"}  # fmt: skip
        if consent is not None:
            body["context"] = {"consent": {"categoryPreferences": {"marketing": consent}}}
        self.engine.feed("p0", [orjson.dumps(body)])

    def turn(self, turns: int = 12) -> list[str]:
        """What is said in some turns, a tenth of a second apart."""
        for _ in range(turns):
            self.courier.turn(follow=False)
            self.now += SECOND // 10
        taken = (one for one in self.wire.said if "X-Skep-Delivery" in one.headers and one.number not in self.wire.refused)
        self.hooked += [(orjson.loads(one.body or b""), one.headers["X-Skep-Delivery"]) for one in taken]
        return self.wire.taken()

    def reason(self, user: str) -> str:
        holder = self.engine.view.profiles.holder("user_id", user)
        assert holder is not None
        row = self.courier.books.get(Place("crm", "vips", key_of("p_" + holder.key.hex())))
        return "" if row is None else row.barred or row.reason

    def close(self) -> None:
        self.courier.close()
        self.engine.shard.close()


@pytest.fixture
def spaces(tmp_path: Path) -> Iterator[Any]:
    opened: list[Space] = []

    def make(destination: Json | None = None, **more: Any) -> Space:
        opened.append(Space(tmp_path / str(len(opened)), destination or {}, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_in_and_out_and_nothing_twice(spaces: Any) -> None:
    space = spaces()
    space.says("ann", vip=True, email="ann@x.org")
    assert space.turn() == ["PUT /l/ann%40x.org"]
    space.says("ann", vip=False)
    space.says("ann", vip=True)
    assert space.turn() == []
    space.says("ann", vip=False)
    assert space.turn() == ["DELETE /l/ann%40x.org"]


def test_a_change_that_comes_while_a_call_is_under_way_is_said_behind_the_answer(spaces: Any) -> None:
    space = spaces()
    space.wire.answers = lambda _: None
    space.says("ann", vip=True, email="ann@x.org")
    assert space.turn() == ["PUT /l/ann%40x.org"]
    space.says("ann", vip=False)
    assert space.turn() == []
    space.wire.answers = lambda _: (200, {})
    assert space.turn() == ["DELETE /l/ann%40x.org"]


def test_another_address_is_the_old_one_out_and_the_new_one_in(spaces: Any) -> None:
    space = spaces()
    space.says("ann", vip=True, email="ann@x.org")
    space.turn()
    space.says("ann", email="ann@y.org")
    assert space.turn() == ["DELETE /l/ann%40x.org", "PUT /l/ann%40y.org"]
    space.says("ann", email="ann@x.org")
    assert space.turn() == [], "two addresses in turn change nothing"


def test_consent_is_asked_at_the_last_moment_and_taken_back(spaces: Any) -> None:
    space = spaces()
    space.says("ann", vip=True, email="ann@x.org", consent=False)
    assert (space.turn(), space.reason("ann")) == ([], "consent")
    space.says("ann", consent=True)
    assert space.turn() == ["PUT /l/ann%40x.org"]
    space.says("ann", consent=False)
    assert space.turn() == ["DELETE /l/ann%40x.org"]


def test_a_withdrawal_behind_a_retry_is_effective(spaces: Any) -> None:
    """What waits to be tried again is looked at again."""
    space = spaces({"limits": {"backoff": {"from": "1s", "to": "2s"}}})
    space.wire.answers = lambda _: (503, {})
    space.says("ann", vip=True, email="ann@x.org")
    assert space.turn(1) == ["PUT /l/ann%40x.org"]
    space.turn(1)
    space.says("ann", consent=False)
    space.wire.answers = lambda _: (200, {})
    assert set(space.turn(40)) == {"DELETE /l/ann%40x.org"}, "it may have arrived, so it is taken back"


def test_whom_nobody_could_recognise_is_told_of_when_that_is_known(spaces: Any) -> None:
    space = spaces()
    space.says("ann", vip=True)
    assert (space.turn(), space.reason("ann")) == ([], "no_identifier")
    space.says("ann", email="ann@x.org")
    assert space.turn() == ["PUT /l/ann%40x.org"]


def test_an_audience_that_is_too_small_is_sent_empty(spaces: Any) -> None:
    space = spaces({"min_size": 2})
    space.says("ann", vip=True, email="ann@x.org")
    assert (space.turn(), space.reason("ann")) == ([], "min_size")
    space.says("bob", vip=True, email="bob@x.org")
    assert sorted(space.turn()) == ["PUT /l/ann%40x.org", "PUT /l/bob%40x.org"]
    space.says("bob", vip=False)
    assert sorted(space.turn()) == ["DELETE /l/ann%40x.org", "DELETE /l/bob%40x.org"]


def test_quiet_hours_delay_who_comes_and_not_who_goes(spaces: Any) -> None:
    space = spaces({"quiet": {"from": "11:00", "to": "12:01", "zone": "UTC"}})
    space.says("ann", vip=True, email="ann@x.org")
    assert (space.turn(), space.reason("ann")) == ([], "quiet")
    settings = Settings.load(space.folder)
    assert [is_due(settings, "shop", "crm", now) for now in (space.now, NOON + 61 * SECOND)] == [False, True], "reconcile does not wait"
    space.now = NOON + 61 * SECOND
    assert space.turn() == ["PUT /l/ann%40x.org"]
    space.now = NOON
    space.says("ann", vip=False)
    assert space.turn() == ["DELETE /l/ann%40x.org"]


def test_who_is_not_let_in_stops_until_the_file_changes(spaces: Any) -> None:
    space = spaces()
    space.wire.answers = lambda _: (401, {})
    space.says("ann", vip=True, email="ann@x.org")
    space.says("bob", vip=True, email="bob@x.org")
    said = space.turn()
    assert 1 <= len(said) <= 2
    assert space.turn(50) == []
    space.wire.answers = lambda _: (200, {})
    space.define({"connection": {"url": "https://other.example.com"}})
    assert sorted(space.turn()) == ["PUT /l/ann%40x.org", "PUT /l/bob%40x.org"]


def test_a_dead_destination_is_tried_by_one_call_and_recovers_in_order(spaces: Any) -> None:
    space = spaces({"limits": {"backoff": {"from": "100ms", "to": "2s"}, "attempts": 50, "concurrency": 4}})
    space.wire.answers = lambda _: "connection"
    for number in range(30):
        space.says(f"u{number}", vip=True, email=f"u{number}@x.org")
    space.turn(10)
    assert space.courier.destinations["crm"].pace.breaker == "open"
    assert len(space.turn(60)) <= 4, "one call every two seconds"
    space.wire.answers = lambda _: (200, {})
    assert {one.partition(" ")[0] for one in space.turn(120)} == {"PUT"}
    assert space.courier.destinations["crm"].pace.breaker == "closed"
    assert space.courier.books.next_due("crm") is None


def test_after_a_kill_what_was_on_the_wire_is_said_again_with_the_same_key(spaces: Any) -> None:
    requests = {**ONE_BY_ONE, "enter": {"method": "PUT", "path": "/l/{person.identifiers.email}", "body": {"key": "key"}}}
    space = spaces({"requests": requests})
    space.wire.answers = lambda _: None
    space.says("ann", vip=True, email="ann@x.org")
    first = space.turn()
    space.courier.close()
    space.open()
    assert space.turn() == first
    assert first[0].startswith('PUT /l/ann%40x.org {"key":"crm:vips:p_')


def test_two_people_who_are_one_leave_under_the_name_that_is_gone(spaces: Any) -> None:
    space = spaces()
    device = {"type": "identify", "anonymousId": "dev"}
    space.engine.feed("p0", [orjson.dumps({**device, "messageId": "d", "timestamp": "2026-01-01T09:00:00Z",
                                           "traits": {"vip": True, "email": "dev@x.org"}})])  # fmt: skip
    space.says("ann", vip=True, email="ann@x.org")
    assert sorted(space.turn()) == ["PUT /l/ann%40x.org", "PUT /l/dev%40x.org"]
    space.engine.feed("p0", [orjson.dumps({**device, "messageId": "e", "userId": "ann", "timestamp": "2026-01-01T11:00:00Z"})])
    assert space.turn() == ["DELETE /l/dev%40x.org"]
    assert space.courier.books.next_due("crm") is None


def test_a_vendors_own_id_is_asked_for_once(spaces: Any) -> None:
    kind = {
        "sources": [{"title": "Made up", "read": "2026-11-30"}],
        "connection": {"url": {"is": "url"}},
        "identify": {"any": ["email"]},
        "requests": {
            "lookup": {"method": "GET", "path": "/find/{person.identifiers.email}"},
            "enter": {"method": "PUT", "path": "/l/{person.remote_id}"},
            "exit": {"method": "DELETE", "path": "/l/{person.remote_id}"},
        },
        "replies": {"remote_id": "id"},
    }
    space = spaces({"kind": "madeup", "requests": {}}, kinds={"madeup": kind})
    space.wire.answers = lambda asked: (200, {"id": "v7"} if asked.method == "GET" else {})
    space.says("ann", vip=True, email="ann@x.org")
    assert space.turn() == ["GET /find/ann%40x.org", "PUT /l/v7"]
    space.says("ann", vip=False)
    assert space.turn() == ["DELETE /l/v7"]


def test_a_new_destination_is_told_of_who_is_there(spaces: Any) -> None:
    """And a restored state is held against what it holds: nothing is said again that was acknowledged."""
    space = spaces()
    for number in range(5):
        space.says(f"u{number}", vip=True, email=f"u{number}@x.org")
    assert len(space.turn(30)) == 5
    books = space.courier.books
    books.noted.move("crm", books.noted.cursor("crm"), b"another log")
    books.commit()
    space.courier.close()
    space.open()
    space.says("u0", vip=False)
    assert space.turn(30) == ["DELETE /l/u0%40x.org"]


def test_a_webhook_is_told_the_changes_themselves_in_order(spaces: Any) -> None:
    """From the first there was, nothing coalesced, nobody's second before his first is taken; and of nobody who may not be told of."""
    kinds = ["segment.entered", "segment.exited", "profile.updated"]
    hook = {"kind": "webhook", "connection": {"url": "https://hook.example.com/x"}, "purpose": "marketing", "changes": kinds}
    hook["limits"] = {"backoff": {"from": "100ms", "to": "200ms"}}
    space = spaces(hook)
    for user, city in (("ann", "Rome"), ("bob", "Oslo"), ("ann", "Bonn")):
        space.says(user, vip=True, city=city, email=f"{user}@x.org")
    space.says("ann", vip=False)
    failing = [True]
    space.wire.answers = lambda _: (500, {}) if failing[0] else (200, {})
    space.turn(3)
    failing[0] = False
    space.turn(60)
    space.courier.close()
    space.open()
    assert space.turn(10) == [], "what was taken is not told again"
    told: dict[str, list[str]] = {}
    for body, key in space.hooked:
        change = body["change"]
        assert key == f"crm:{change['id']}"
        told.setdefault(body["person"]["identifiers"]["user_id"], []).append(change.get("value") or change["type"])
    assert told == {
        "ann": ["Rome", "segment.entered", "Bonn", "segment.exited"],
        "bob": ["Oslo", "segment.entered"],
    }
    space.says("bob", consent=False)
    space.says("bob", vip=False, city="Lima")
    assert [one.partition("type")[2][3:17] for one in space.turn(20)] == ["segment.exited"]
