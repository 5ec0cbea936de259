"""Denials in refused records: what is read of them, and that they count for whoever holds their identifier, once and for good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import ControlEntry, Denial, JudgedBatch, Refused
from contracts.text.times import iso, parse_time
from operators.judge import Judge
from tests import model
from tests.engine import HASHER, SPACE, Engine, difference

Json = dict[str, Any]

DAY_US = 86_400_000_000
NOON = parse_time("2026-03-01T12:00:00Z") or 0
READ_US = NOON + 90 * DAY_US
FILES: Json = {
    "identity.yaml": {
        "namespaces": [
            {"name": "user", "from": "userId", "unique": True},
            {"name": "mail", "from": "mail"},
            {"name": "device", "from": "anonymousId", "scope": "device"},
        ]
    },
    "consent.yaml": {"purposes": [{"name": "ads", "default": "granted"}, {"name": "mail", "default": "denied"}]},
    "segments/all.yaml": {"segment": "all", "purpose": "ads", "who": {"did": "seen"}},
    "events/seen/1-0-0.json": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "events/consent_updated/1-0-0.json": {"type": "object", "properties": {"categoryPreferences": {"type": "object"}}},
}
DEFINITIONS = load({path: json.dumps(content) for path, content in FILES.items()})


def denying(value: Any = False) -> Json:
    return {"consent": {"categoryPreferences": {"ads": value}}}


def body(at: int, message: str, **more: Any) -> Json:
    return {"type": "track", "event": "Seen", "messageId": message, "timestamp": iso(NOON + at * DAY_US), **more}


def refused(record: Json, *, skew: int = 600_000_000) -> Refused:
    strict = Judge(DEFINITIONS, unknown_ok=False, future_skew_us=skew, max_event_bytes=100_000)
    found = strict.judge(orjson.dumps(record), 1, READ_US)
    assert isinstance(found, Refused), found
    return found


BAD = body(0, "m", userId="u", properties={"n": "no integer"}, context=denying())
REASONS: dict[str, tuple[Json, str]] = {
    "invalid": (BAD, "invalid"),
    "unknown event": ({**BAD, "event": "Coffee"}, "unknown_event"),
    "version": ({**BAD, "context": {**denying(), "contract": "seen/7-0-0"}}, "unsupported_version"),
    "no such call": ({**BAD, "type": "click"}, "envelope"),
    "a text": ({**BAD, "context": denying("withdrawn")}, "invalid"),
    "properties": ({**BAD, "properties": "none"}, "envelope"),
    "a call of another case": (
        body(0, "m", userId="u", type="Track", event="Consent Updated", properties={"categoryPreferences": {"ads": "no"}}),
        "envelope",
    ),
    "no object": (body(0, "m", userId="u", event="Consent Updated", properties={"categoryPreferences": "denied"}), "invalid"),
}  # fmt: skip


@pytest.mark.parametrize("what", REASONS)
def test_a_refused_record_denies(what: str) -> None:
    record, reason = REASONS[what]
    found = refused(record)
    assert found.reason == reason
    assert Denial("m", "user", "u", "ads", NOON) in found.denials


def test_grants_undeclared_purposes_and_properties_of_other_events_are_not_read() -> None:
    about = {"n": "x", "categoryPreferences": {"ads": False}}
    assert refused({**BAD, "context": denying(True)}).denials == ()
    assert refused({**BAD, "context": {"consent": {"categoryPreferences": {"other": False}}}}).denials == ()
    assert refused({**BAD, "context": {}, "properties": about}).denials == ()
    assert refused({**BAD, "context": {}, "properties": about, "event": 7}).denials != ()
    assert refused({**BAD, "type": "page", "event": None, "context": {"contract": "x/1-0-0"}, "properties": about}).denials == ()


def test_it_hangs_on_the_first_identifier_that_can_be_read() -> None:
    found = refused({**BAD, "userId": ["u"], "anonymousId": "d", "mail": "a"}).denials
    assert [(each.namespace, each.value) for each in found] == [("mail", "a")]
    found = refused({**BAD, "userId": None, "anonymousId": "d"}).denials
    assert [(each.namespace, each.value) for each in found] == [("device", "d")]
    assert refused({**BAD, "userId": {}}).denials == ()


def test_it_is_no_later_than_it_was_received() -> None:
    def time(**more: Any) -> int:
        return refused({**BAD, **more}).denials[0].time_us

    received = iso(NOON - DAY_US)
    assert time(timestamp="soon") == READ_US
    assert time(timestamp="soon", receivedAt=received) == NOON - DAY_US
    assert time(timestamp=None, receivedAt=received) == NOON - DAY_US
    assert time(receivedAt=received) == NOON - DAY_US
    assert time(timestamp="9999-01-01T00:00:00Z") == READ_US
    assert time(receivedAt="soon") == NOON
    assert refused({**body(9, "f", userId="u", context=denying()), "receivedAt": received}).denials[0].time_us == NOON - DAY_US


def test_an_id_that_is_missing_is_made_of_the_content() -> None:
    one, two = (refused({**BAD, "messageId": None, "sentAt": sent}).denials[0].message_id for sent in ("1", "2"))
    assert one == two
    assert one.startswith("m_")


# ── in a space ──────────────────────────────────────────────────────────────────────────────────────────────────────
class Shop(Engine):
    """An engine whose records are all about the user u or the device d; the model is asked after every step."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, DEFINITIONS)
        self.start(["p"])
        self.given: list[bytes] = []

    def take(self, *records: Json) -> None:
        self.given += (raw := [orjson.dumps(record) for record in records])
        self.feed("p", raw)
        self.check()

    def check(self, *repaired: Json) -> None:
        self.given += map(orjson.dumps, repaired)
        clock = self.space.meta.clock
        if clock is not None:
            events = self._judge.judge_many(self.given, 1, READ_US)[0]
            expected = model.dump(events, [], self._definitions, clock, hasher=HASHER, denials=self.denials)
            assert self.dump() == expected, difference(self.dump(), expected)

    def repair(self, kind: str, record: Json | None = None) -> None:
        """Replay, edit or drop the one record in quarantine."""
        position = self.space.meta.applied["control"] + 1
        [row] = list(self.view.quarantine.entries())[:1]
        outcomes = [] if record is None else [(row.id, self._judge.judge(orjson.dumps(record), position, READ_US))]
        said = {"type": kind, "messageId": f"r{position}", "ids": [row.id], "entries": [{"id": row.id}]}
        listed = [ControlEntry(position, said, outcomes)]
        self.space.apply(JudgedBatch(SPACE, "control", "control", position, position, "", [], [], listed, 0))
        self.check(*([] if record is None else [record]))

    def segments(self, **who: str) -> list[str]:
        [(namespace, value)] = who.items()
        found = self.view.profiles.held(namespace, value)
        assert found is not None
        return list(found["segments"])

    def decisions(self) -> list[tuple[str, bool, int]]:
        return [(row.purpose, row.granted, row.decided_at) for row in self.view.profiles.consents()]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    one = Shop(tmp_path / "shard")
    yield one
    one.shard.close()


CLICK = body(5, "x", userId="u", type="click", context=denying())
"""Refused, and a denial of the fifth day."""
SEEN = body(0, "m", userId="u")


def test_the_person_leaves_in_the_commit_that_quarantines(shop: Shop) -> None:
    shop.take(SEEN)
    assert shop.segments(user="u") == ["all"]
    before = shop.space.meta.changes
    shop.take(CLICK)
    assert shop.segments(user="u") == []
    changes = [orjson.loads(row) for _, row in shop.view.changes(before)]
    assert [(each["type"], each["cause"]) for each in changes] == [
        ("consent.changed", {"type": "message", "id": "x"}),
        ("segment.exited", {"type": "message", "id": "x"}),
    ]
    assert shop.decisions() == [("ads", False, NOON + 5 * DAY_US)]
    assert shop.view.status()["denials"] == 1


def test_it_waits_for_who_will_hold_the_identifier_and_is_overruled_by_a_later_grant(shop: Shop) -> None:
    shop.take(CLICK)
    assert (shop.view.status()["people"], shop.decisions()) == (0, [])
    shop.restart()
    shop.take(SEEN)
    assert shop.segments(user="u") == []
    shop.take(body(4, "m4", userId="u", context=denying(True)))
    assert shop.segments(user="u") == []
    shop.take(body(6, "m6", userId="u", context=denying("yes")))
    assert shop.segments(user="u") == ["all"]


@pytest.mark.parametrize("shared", [{"mail": "a"}, {"anonymousId": "d"}], ids=["mail", "device"])
def test_it_goes_where_its_identifier_goes(shop: Shop, shared: Json) -> None:
    """An e-mail or a device that passes from one user to another, with nothing but the denial on it."""
    shop.take(body(0, "m0", userId="u", **shared), body(1, "m1", userId="v"))
    shop.take({**CLICK, "userId": None, **shared})
    assert (shop.segments(user="u"), shop.segments(user="v")) == ([], ["all"])
    shop.take(body(7, "m7", userId="v", **shared))
    assert (shop.segments(user="u"), shop.segments(user="v")) == (["all"], [])


def test_a_login_that_takes_events_from_nobody_leaves_it(shop: Shop) -> None:
    """The profile of a shared device goes back to what it was before its session, but for the denial."""
    user, mail, device = FILES["identity.yaml"]["namespaces"]
    shared = {**FILES, "identity.yaml": {"namespaces": [user, mail, {**device, "shared_after": 2}]}}
    shop.define(load({path: json.dumps(content) for path, content in shared.items()}))
    shop.take(body(0, "a", userId="a", anonymousId="d"), body(1, "b", userId="b", anonymousId="d"))
    shop.take(body(5, "n1", anonymousId="d"), {**CLICK, "userId": None, "anonymousId": "d"})
    shop.take(body(5, "n2", userId="b", anonymousId="d"))
    assert [granted for _, granted, _ in shop.decisions()] == [False]


def test_nobody_is_told_into_a_segment_that_a_waiting_denial_closes(shop: Shop) -> None:
    shop.take(CLICK)
    shop.take(SEEN)
    assert "segment.entered" not in [orjson.loads(row)["type"] for _, row in shop.view.changes(0)]


def test_a_purpose_that_is_declared_later_counts_for_what_is_in_quarantine(shop: Shop) -> None:
    purposes = {"purposes": [{"name": "news", "default": "granted"}]}
    news = {**FILES, "consent.yaml": purposes, "segments/all.yaml": {**FILES["segments/all.yaml"], "purpose": "news"}}
    shop.take(SEEN, {**CLICK, "context": {"consent": {"categoryPreferences": {"news": False}}}})
    assert shop.segments(user="u") == ["all"]
    shop.define(load({path: json.dumps(content) for path, content in news.items()}))
    assert shop.segments(user="u") == []


@pytest.mark.parametrize("kind", ["drop", "edit"])
def test_neither_a_drop_nor_an_edit_takes_it_back(shop: Shop, kind: str) -> None:
    shop.take(SEEN, CLICK)
    shop.repair(kind, {**CLICK, "type": "track", "context": denying(True)} if kind == "edit" else None)
    assert list(shop.view.quarantine.entries()) == []
    assert shop.segments(user="u") == []


def test_a_replayed_record_makes_one_decision(shop: Shop) -> None:
    """Also on a device at which somebody else stands by then: what the event decides is the only decision."""
    late = body(5, "x", anonymousId="d", context=denying())
    shop.take(body(0, "a", userId="a", anonymousId="d"), body(4, "b", userId="b", anonymousId="d"))
    shop.take(body(5, "b5", userId="b", anonymousId="d"), body(9, "a9", userId="a", anonymousId="d"), {**late, "type": "click"})
    assert len(shop.decisions()) == 1
    before = shop.decisions()
    shop.repair("edit", late)
    assert shop.decisions() == before
    assert shop.segments(user="a") == ["all"]
    assert shop.segments(user="b") == []
    shop.take({**late, "type": "click"})
    assert shop.decisions() == before


def test_a_denial_under_an_id_that_was_accepted_with_a_grant_counts(shop: Shop) -> None:
    shop.take(SEEN, body(5, "x", userId="u", context=denying(True)), body(5, "x", userId="u", context=denying(False)))
    assert shop.view.status()["conflict"] == 1
    assert shop.segments(user="u") == []


def test_what_cannot_be_read_is_counted_by_purpose_and_source(shop: Shop) -> None:
    """Accepted or refused, but not again for copies; nothing that can be read is counted."""
    odd = body(1, "o", userId="u", context=denying({"granted": True}))
    shop.take(
        odd, odd, body(2, "p", userId="u", context=denying("no")), {**CLICK, "context": denying("?")}, {**CLICK, "context": denying("?")}
    )
    assert shop.view.status()["unread_consents"] == [{"purpose": "ads", "source": "p", "decisions": 2}]
