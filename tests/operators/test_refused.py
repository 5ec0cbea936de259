"""Identifiers that many people share: what is computed is what the model says, and what is kept of refused links is what a count says."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

import contracts
from operators.judge import Judge
from operators.people import rebuild
from operators.people import visits as visits_module
from operators.people.pairs import Pairs
from operators.stitch import owners
from tests import model
from tests.engine import HASHER, Engine, difference
from tests.generator import START_US, text_of
from tests.tallies import check

MINUTE_US = 60_000_000
CONSENT = {"purposes": [{"name": "ads", "default": "denied"}]}
SEEDS = int(os.environ.get("REFUSED_SEEDS", "60"))


def seen(number: int, minute: float, **ids: Any) -> dict[str, Any]:
    time_us = START_US + int(minute * MINUTE_US)
    return {"type": "track", "event": "seen", "messageId": f"m{number:04}", "timestamp": text_of(time_us), **ids}


def visits(rng: random.Random, size: int) -> Iterator[dict[str, Any]]:
    """Logins on kiosks, e-mails and phones that pass from user to user, devices of their own, anonymous pages, now and then late."""
    minute = 0.0
    users, kiosks, busy = rng.choice([3, 6, 15]), rng.choice([1, 2]), rng.random() < 0.4
    lateness = rng.choice([[0], [0] * 9 + [5], [0] * 9 + [60]])
    alone = rng.choice([0.0, 0.0, 0.1])
    consent = rng.choice([0.0, 0.0, 0.2])
    for number in range(size):
        minute += rng.choice([0, 1, 1, 1, 3, 7, 40, 3000] if rng.random() < 0.5 else [1, 2, 7])
        ids: dict[str, Any] = {}
        user = f"u{rng.randrange(users)}"
        how = rng.random()
        if how < 0.8:
            ids["userId"] = user
        if how > 0.65 or rng.random() < 0.5:
            ids["anonymousId"] = "k0" if busy else rng.choice([f"k{rng.randrange(kiosks)}", f"k{rng.randrange(kiosks)}", f"own-{user}"])
        if how > 0.95:
            ids["previousId"] = rng.choice([f"own-{user}", "k0", "x"])
        context: dict[str, Any] = {}
        if ("userId" in ids or rng.random() < alone) and rng.random() < 0.4:
            context["email"] = rng.choice(["a", "b", user, user])
        if "userId" in ids and rng.random() < 0.2:
            context["phone"] = rng.choice(["1", "2"])
        if consent and rng.random() < consent:
            context["consent"] = {"categoryPreferences": {"ads": rng.random() < 0.5}}
        if context:
            ids["context"] = context
        yield seen(number, minute - rng.choice(lateness), **ids)


def rules(rng: random.Random) -> dict[str, Any]:
    """Unique users in most; limits, sharing and the order of conflicts by chance."""
    sharing = rng.choice([{}, {}, {}, {"shared_after": rng.choice([1, 2, 3])}])
    return {
        "namespaces": [
            {"name": "user_id", "from": "userId", "unique": rng.random() < 0.8},
            {"name": "email", "from": "context.email", **rng.choice([{}, {"unique": True}, {"limit": 2}])},
            {"name": "phone", "from": "context.phone", **rng.choice([{}, {"limit": 1}, {"limit": 2}])},
            {
                "name": "anonymous_id",
                "from": ["anonymousId", "previousId"],
                "scope": "device",
                **rng.choice([{}, {}, {"limit": 2}]),
                **sharing,
            },
        ],
        "conflict": rng.choice(["newest", "newest", "newest", "oldest"]),
        "limits": {"identifiers": rng.choice([3, 5, 1000, 1000]), "links": rng.choice([2, 3, 6, 1000, 1000, 1000])},
        "stitching": {"owner": rng.choice(["session", "session", "session", "device"])},
    }


def rulings(rng: random.Random, at: int) -> list[dict[str, Any]]:
    """Now and then a manual entry."""
    if rng.random() > 0.06:
        return []
    ends = [("user_id", "u0"), ("user_id", "u1"), ("email", "a"), ("phone", "1"), ("anonymous_id", "k0"), ("anonymous_id", "own-u1")]
    a, b = ({"namespace": namespace, "value": value} for namespace, value in rng.sample(ends, 2))
    when = text_of(START_US + rng.randrange(at + 1) * MINUTE_US)
    return [{"type": rng.choice(["link", "unlink", "unlink"]), "messageId": f"c{at}", "timestamp": when, "a": a, "b": b, "why": "a test"}]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_shared_identifiers_are_what_the_model_says(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every event: the dump of the engine is the model's, and what is kept beside it is right."""
    rng = random.Random(seed)
    if seed % 3:
        for module in (owners, rebuild, visits_module):
            monkeypatch.setattr(module, "PERSONS", 2)
        for module in (owners, visits_module):
            monkeypatch.setattr(module, "RUNS", 3)
    definitions = contracts.load({"identity.yaml": json.dumps(rules(rng)), "consent.yaml": json.dumps(CONSENT)})
    judge = Judge(definitions, unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000)
    records = [orjson.dumps(body) for body in visits(rng, 45)]
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p"])
    control: list[dict[str, Any]] = []
    for at in range(len(records)):
        engine.feed("p", [records[at]])
        said = rulings(rng, at) if seed % 4 == 0 else []
        control += said
        engine.control(said)
        clock = engine.space.meta.clock
        assert clock is not None
        events = judge.judge_many(records[: at + 1], 1, 0)[0]
        found, expected = engine.dump(clock), model.dump(events, control, definitions, clock, hasher=HASHER)
        assert found == expected, difference(found, expected, seed, at, records[at])
        check(engine, seed, at, records[at])
    engine.shard.close()


def kiosk(size: int) -> Iterator[dict[str, Any]]:
    """Each login by somebody new, most with an anonymous page behind it."""
    for number in range(size):
        yield seen(2 * number, number * 7, userId=f"u{number}", anonymousId="kiosk")
        if number % 3:
            yield seen(2 * number + 1, number * 7 + 1, anonymousId="kiosk")


def returning(size: int) -> Iterator[dict[str, Any]]:
    """Logins of a tenth as many people, who come back."""
    rng = random.Random(1)
    for number in range(size):
        yield seen(number, number * 7, userId=f"u{rng.randrange(size // 10)}", anonymousId="kiosk")


def late(size: int) -> Iterator[dict[str, Any]]:
    """Every tenth login comes after some that were later."""
    for number in sorted(range(size), key=lambda number: number + (number % 7 if number % 10 == 0 else 0)):
        yield seen(number, number * 7, userId=f"u{number}", anonymousId="kiosk")


def browsing(size: int) -> Iterator[dict[str, Any]]:
    """Sessions that begin with a page of nobody's, which the first login of the session claims."""
    minute = 0
    for number in range(size):
        if number % 5 == 0:
            minute += 60
            yield seen(2 * number, minute, anonymousId="kiosk")
        minute += 7
        yield seen(2 * number + 1, minute, userId=f"u{number}", anonymousId="kiosk")


def deciding(size: int) -> Iterator[dict[str, Any]]:
    """A banner on the kiosk asks everybody."""
    for number in range(size):
        asked = {"consent": {"categoryPreferences": {"ads": number % 2 == 0}}}
        yield seen(2 * number, number * 7, userId=f"u{number}", anonymousId="kiosk")
        yield seen(2 * number + 1, number * 7 + 1, anonymousId="kiosk", context=asked)


def shared_mail(size: int) -> Iterator[dict[str, Any]]:
    """One e-mail and one phone on ever more users."""
    for number in range(size):
        yield seen(number, number, userId=f"u{number}", context={"email": "office", "phone": "1"})


def crossing(size: int) -> Iterator[dict[str, Any]]:
    """Two people on each other's twenty devices."""
    rng = random.Random(1)
    for number in range(40):
        yield seen(number, number, userId="ab"[number % 2], anonymousId=f"d{number}")
    for number in range(40, size):
        yield seen(number, number, userId=rng.choice("ab"), anonymousId=f"d{rng.randrange(40)}")


def with_own_mail(size: int) -> Iterator[dict[str, Any]]:
    """Logins on a kiosk, each with the user's own e-mail."""
    for number in range(size):
        yield seen(number, number * 7, userId=f"u{number}", anonymousId="kiosk", context={"email": f"u{number}"})


def going_home(size: int) -> Iterator[dict[str, Any]]:
    """Everybody who was on the kiosk gets an e-mail, and a device of their own that was anonymous before."""
    for number in range(size):
        yield seen(4 * number, number * 40, userId=f"u{number}", anonymousId="kiosk")
        yield seen(4 * number + 1, number * 40 + 1, userId=f"u{number}", context={"email": f"u{number}"})
        yield seen(4 * number + 2, number * 40 + 2, anonymousId=f"own{number}")
        yield seen(4 * number + 3, number * 40 + 3, userId=f"u{number}", anonymousId=f"own{number}")


NAMESPACES = [
    {"name": "user_id", "from": "userId", "unique": True},
    {"name": "email", "from": "context.email", "limit": 5},
    {"name": "phone", "from": "context.phone", "limit": 5},
    {"name": "anonymous_id", "from": ["anonymousId", "previousId"], "scope": "device"},
]
SHARED = [*NAMESPACES[:3], {**NAMESPACES[3], "shared_after": 5}]


def test_links_that_cannot_stand_do_not_make_the_next_one_dearer(tmp_path: Path) -> None:
    """Thousands of links in one batch between two people who were known first: all are kept, none is decided twice."""
    engine = Engine(tmp_path / "shard", contracts.load({"identity.yaml": json.dumps({"namespaces": NAMESPACES, "conflict": "oldest"})}))
    engine.start(["p"])
    known = [seen(n, n, userId="ab"[n // 100], anonymousId=f"d{n}") for n in range(200)]
    ends = [(a, b) for a in range(60) for b in range(100, 160)]
    met = [seen(200 + n, 300 + n / 100, anonymousId=f"d{a}", previousId=f"d{b}") for n, (a, b) in enumerate(ends)]
    engine.feed("p", [orjson.dumps(body) for body in known + met])
    assert engine.space.work.cost.rebuilds == 0
    assert sum(1 for _ in engine.view.identity.refused()) == len(ends)
    engine.shard.close()


@pytest.mark.parametrize("visitors", [kiosk, returning, late, browsing, deciding, shared_mail, crossing, with_own_mail, going_home])
@pytest.mark.parametrize("rules", [{}, {"conflict": "oldest"}, {"namespaces": SHARED}], ids=["newest", "oldest", "shared"])
def test_the_last_costs_what_the_first_does(visitors: Any, rules: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes written for an event stay the same, rows of shared identifiers are not read, and nobody is computed anew."""
    read = 0
    of = Pairs.of

    def counted(self: Pairs, identifier: bytes) -> Iterator[tuple[bytes, bytes]]:
        nonlocal read
        for row in of(self, identifier):
            read += 1
            yield row

    monkeypatch.setattr(Pairs, "of", counted)
    files = {"identity.yaml": json.dumps({"namespaces": NAMESPACES, **rules}), "consent.yaml": json.dumps(CONSENT)}
    engine = Engine(tmp_path / "shard", contracts.load(files))
    engine.start(["p"])
    written: list[int] = []
    commit = engine.shard.commit

    def weighed() -> int:
        families = engine.shard.families.values()
        written.append(sum(len(key) + len(row or b"") for family in families for key, row in family.pending.items()))
        return commit()

    monkeypatch.setattr(engine.shard, "commit", weighed)
    records = [orjson.dumps(body) for body in visitors(1_000)]
    for at in range(0, len(records), 20):
        engine.feed("p", records[at : at + 20])
    few = len(written) // 5
    assert sum(written[-few:]) < 1.3 * sum(written[few : 2 * few]), written
    assert read <= len(records) // 10, read
    assert engine.space.work.cost.rebuilds <= 5
    engine.shard.close()
