"""What is linked and unlinked by hand counts as the identity rules in force read what was said, whatever those of that day made of it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from tests import model
from tests.engine import HASHER, Engine, difference, judge_of
from tests.promises.change_log import Folded, changes_of, dumped
from tests.promises.test_definitions import until_done
from tests.tallies import check

Json = dict[str, Any]
SPELLINGS = ("ada@shop.org", "Ada@Shop.org", " ADA@shop.org\u200b", "bob@shop.org", "BOB@shop.org", "none", "0123456789")
DEVICES = ("d1", "D1", "d2")


def rules(normalize: str, *, blocked: bool = False, phone: bool = False, device: str = "trim") -> Definitions:
    """``blocked``: Bob's address, in lower case. ``phone``: whether that is a namespace."""
    email = {"name": "email", "from": "traits.email", "normalize": normalize}
    spaces = [email, *([{"name": "phone", "from": "traits.phone"}] if phone else [])]
    spaces.append({"name": "anonymous_id", "from": "anonymousId", "scope": "device", "normalize": device})
    said = {"version": 1, "namespaces": spaces, "blocked": {"patterns": ["^bob@", "^ADA@S"] if blocked else ["^nobody$"]}}
    return load({"identity.yaml": json.dumps(said), "segments/seen.yaml": '{"segment": "seen", "who": {"did": "page_viewed"}}'})


def end(namespace: str, value: object) -> Json:
    return {"namespace": namespace, "value": value}


def ruled(kind: str, a: Json, b: Json, number: int, minute: int) -> Json:
    return {"type": kind, "a": a, "b": b, "timestamp": f"2026-05-01T10:{minute:02}:00Z", "messageId": f"c{number}", "why": "told us"}


def seen(number: int, email: str | None, device: str) -> bytes:
    said = {"type": "page", "messageId": f"m{number}", "timestamp": f"2026-05-01T09:{number:02}:00Z", "anonymousId": device}
    return orjson.dumps(said | ({} if email is None else {"type": "identify", "traits": {"email": email, "phone": email}}))


class Told:
    """An engine and what the model is told beside it."""

    def __init__(self, folder: Path, first: Definitions) -> None:
        self.engine = Engine(folder / "shard", first)
        self.clear(first)

    def clear(self, first: Definitions) -> None:
        self.engine.clear(first)
        self.engine.start(["p"])
        self.definitions, self.records, self.control = first, list[bytes](), list[Json]()

    def feed(self, *records: bytes) -> None:
        self.records += records
        self.engine.feed("p", list(records))

    def enter(self, *entries: Json) -> None:
        self.control += entries
        self.engine.control(list(entries))

    def define(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.engine.define(definitions)

    def compare(self, *context: object) -> list[bytes]:
        events = judge_of(self.definitions).judge_many(self.records, 1, 0)[0]
        clock = self.engine.space.meta.clock
        assert clock is not None
        expected = model.dump(events, self.control, self.definitions, clock, hasher=HASHER)
        found = self.engine.dump(clock)
        assert found == expected, difference(found, expected, *context)
        assert Folded().read(changes_of(self.engine)).told() == dumped(found), context
        return found

    def profiles(self) -> int:
        return sum(b'"kind":"profile"' in line for line in self.compare())


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path, rules("trim"))


def test_two_spellings_become_one_identifier(told: Told) -> None:
    told.feed(seen(1, "ada@shop.org", "d1"), seen(2, "bob@shop.org", "d2"))
    told.enter(ruled("link", end("email", "ADA@shop.org"), end("email", "BOB@shop.org"), 1, 1))
    assert told.profiles() == 3
    told.define(rules("email"))
    assert told.profiles() == 1
    told.define(rules("trim"))
    assert told.profiles() == 3


def test_the_last_entry_rules_a_pair_whatever_the_spelling(told: Told) -> None:
    told.feed(seen(1, "ada@shop.org", "d1"), seen(2, "bob@shop.org", "d2"))
    ada, bob = end("email", "ada@shop.org"), end("email", "bob@shop.org")
    told.enter(ruled("link", ada, bob, 1, 1), ruled("unlink", end("email", "BOB@shop.org"), end("email", "ADA@shop.org"), 2, 2))
    assert told.profiles() == 1
    told.define(rules("email"))
    assert told.profiles() == 2
    told.enter(ruled("link", bob, ada, 3, 3))
    assert told.profiles() == 1
    told.define(rules("trim"))
    assert told.profiles() == 1


def test_an_identifier_that_is_blocked_no_longer_and_one_whose_namespace_comes(told: Told) -> None:
    told.define(rules("trim", blocked=True))
    told.feed(seen(1, "ada@shop.org", "d1"), seen(2, "bob@shop.org", "d2"))
    told.enter(
        ruled("link", end("email", "ada@shop.org"), end("email", "bob@shop.org"), 1, 1),
        ruled("link", end("phone", "ada@shop.org"), end("anonymous_id", "d2"), 2, 2),
    )
    refused = told.engine.view.answer("c1")
    assert refused is not None
    assert refused["error"].endswith("The entry is kept: it counts from the definitions on by which they are that")
    assert told.profiles() == 2
    told.define(rules("trim"))
    assert told.profiles() == 1
    told.define(rules("trim", blocked=True, phone=True))
    assert told.profiles() == 1
    told.define(rules("trim", blocked=True))
    assert told.profiles() == 2


def test_what_is_no_identifier_by_any_rules_is_not_kept(told: Told) -> None:
    told.engine.control(
        [
            ruled("link", end("email", None), end("email", "bob@shop.org"), 1, 1),
            ruled("link", end("email", "bob@shop.org"), end("email", "bob@shop.org"), 2, 1),
            ruled("link", {"value": "x"}, end("email", "bob@shop.org"), 3, 1),
            {**ruled("link", end("email", "x"), end("email", "bob@shop.org"), 4, 1), "timestamp": "soon"},
        ]
    )
    assert [(told.engine.view.answer(f"c{number}") or {})["ok"] for number in (1, 2, 3, 4)] == [False] * 4
    assert not list(told.engine.shard.rows("manual"))


def test_an_entry_that_an_earlier_version_stored_as_it_was_normalised_holds(told: Told) -> None:
    told.feed(seen(1, "ada@shop.org", "d1"), seen(2, "bob@shop.org", "d2"))
    told.enter(ruled("link", end("email", "ada@shop.org"), end("email", "bob@shop.org"), 1, 1))
    (row,) = told.engine.shard.rows("manual")
    ends = [HASHER.identifier("email", f"{name}@shop.org") for name in ("ada", "bob")]
    assert row[0] == min(ends) + max(ends), "an entry without another spelling lies where earlier versions have put it"
    told.define(rules("email"))
    assert told.profiles() == 1


def lived(told: Told, seed: int) -> None:
    rng = Random(f"{seed}:by hand")
    told.clear(rules(rng.choice(["trim", "email"])))
    told.feed(seen(0, "ada@shop.org", "d1"))
    for step in range(1, 13):
        what = rng.choice(["seen", "ruled", "ruled", "ruled", "defined"])
        if what == "seen":
            told.feed(seen(step, rng.choice([None, *SPELLINGS]), rng.choice(DEVICES)))
        elif what == "ruled":
            a, b = (end(rng.choice(["email", "email", "phone"]), rng.choice(SPELLINGS)) for _ in range(2))
            b = rng.choice([b, end("anonymous_id", rng.choice(DEVICES))])
            told.enter(ruled(rng.choice(["link", "link", "unlink"]), a, b, rng.choice([1, step]), rng.choice([7, step])))
        else:
            device = rng.choice(["trim", "email"])
            definitions = rules(rng.choice(["trim", "email"]), blocked=rng.random() < 0.4, phone=rng.random() < 0.5, device=device)
            until_done(told.engine, rng, rng.choice([0.0, 0.3]), lambda definitions=definitions: told.define(definitions))
        if rng.random() < 0.2:
            told.engine.restart(reopen=False)
        told.compare(seed, step, what)
    check(told.engine, seed)


def test_people_are_what_the_model_says_of_what_was_said(told: Told) -> None:
    for seed in range(6):
        lived(told, seed)
