"""The demo shop's events, and the truth about who its people are: the same bytes for the same seed and the same end.

Everybody starts anonymous; a part of them log in, on every device that they use. So the links between identifiers are
enough to find every person again, unless ``conflicts`` asks for people who share a device or an e-mail address, or
``noise`` for errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import orjson

from skep.tools.demo.broken import broken_line
from skep.tools.demo.noise import noisy
from skep.tools.demo.shop import FIRST_NAMES, LAST_NAMES
from skep.tools.demo.visits import DAY_MS, END_MS, Person, iso, new_device, visits

DUPLICATE_SHARE = 0.005
BROKEN_SHARE = 0.003
EVENTS = "events.jsonl"
MADE = ".demo.json"
"""No source reads what begins with a point."""


@dataclass(frozen=True, slots=True)
class Shop:
    """How a demo is made, as `make_demo` was told."""

    people: int
    events: int
    seed: int
    conflicts: float
    noise: float
    end_ms: int


@dataclass(slots=True)
class Demo:
    """Lines in the order in which they arrive, and the true person of every identifier among them."""

    lines: list[bytes]
    truth: list[tuple[str, str, str]] = field(default_factory=list)


def make_demo(  # noqa: PLR0917 - as the command has them
    people: int, events: int, seed: int, conflicts: float = 0.0, noise: float = 0.0, end_ms: int = END_MS
) -> Demo:
    """``events`` lines of ``people`` people; ``conflicts`` is the share of them who share a device or an address.

    ``noise`` is the share of those with errors, as `skep.tools.demo.noise` makes them; what two people share has no truth then. Everything
    happens before ``end_ms``, so many milliseconds since 1970; another end moves all of it by the difference.
    """
    rng, shop = Random(seed), Shop(people, events, seed, conflicts, noise, end_ms)
    duplicates, broken = round(events * DUPLICATE_SHARE), round(events * BROKEN_SHARE)
    everybody = everybody_of(shop, rng)
    arrivals: list[tuple[int, bytes]] = []
    for person, quota in zip(everybody, _quotas(rng, len(everybody), events - duplicates - broken), strict=True):
        if quota:
            arrivals += visits(rng, person, quota, end_ms)
    originals = len(arrivals)
    for _ in range(duplicates if originals else 0):
        arrivals.append(sent_again(rng, *arrivals[rng.randrange(originals)], end_ms))
    for number in range(broken if originals else 0):
        arrivals.append(broken_line(rng, number, *arrivals[rng.randrange(originals)], end_ms))
    arrivals.sort(key=lambda arrival: arrival[0])
    return Demo([line for _, line in arrivals], list(_truth(everybody, shared=not noise)))


def write_demo(  # noqa: PLR0917 - as the command has them
    out: Path, people: int, events: int, seed: int, conflicts: float = 0.0, noise: float = 0.0, end_ms: int = END_MS
) -> tuple[Path, Path]:
    """Write ``events.jsonl`` and ``_truth.jsonl``, which no source reads as events, into ``out`` and return both paths.

    `MADE` beside them says how they were made.
    """
    demo = make_demo(people, events, seed, conflicts, noise, end_ms)
    out.mkdir(parents=True, exist_ok=True)
    with (out / EVENTS).open("wb") as file:
        file.writelines(line + b"\n" for line in demo.lines)
    with (out / "_truth.jsonl").open("wb") as file:
        for namespace, value, person in demo.truth:
            file.write(orjson.dumps({"namespace": namespace, "value": value, "person": person}) + b"\n")
    (out / MADE).write_bytes(msgspec.json.encode(Shop(people, events, seed, conflicts, noise, end_ms)) + b"\n")
    return out / EVENTS, out / "_truth.jsonl"


def made(out: Path) -> Shop | None:
    """How the demo in a folder was made; None if there is none."""
    try:
        return msgspec.json.decode((out / MADE).read_bytes(), type=Shop)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def everybody_of(shop: Shop, rng: Random | None = None) -> list[Person]:
    """The people of a shop, before any of their visits."""
    everybody = _people(rng or Random(shop.seed), shop)
    return noisy(Random(f"{shop.seed} {shop.noise}"), everybody, shop.noise) if shop.noise else everybody


def _people(rng: Random, shop: Shop) -> list[Person]:
    everybody: list[Person] = []
    for index in range(shop.people):
        person = _person(rng, index, shop.end_ms)
        if everybody and rng.random() < shop.conflicts:
            other = everybody[-1]
            person.logs_in = other.logs_in = True
            if rng.random() < 0.5:
                person.devices.append(other.devices[0])
            else:
                person.email = other.email
        everybody.append(person)
    return everybody


def _person(rng: Random, index: int, end_ms: int) -> Person:
    # Number 42 always logs in, so that the documentation has somebody to look at.
    logs_in = rng.random() < 0.6 or index == 41
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    return Person(
        name=f"person-{index + 1}",
        user_id=str(index + 1),
        email=f"{first}.{last}.{index + 1}@example.com".lower(),
        phone=f"+447712{index % 1_000_000:06d}" if rng.random() < 0.3 and index < 1_000_000 else None,
        first_name=first,
        last_name=last,
        logs_in=logs_in,
        # Somebody who never logs in would be one person for each device.
        devices=[new_device(rng) for _ in range(rng.choice((1, 1, 2, 2, 3)) if logs_in else 1)],
        since_ms=end_ms - rng.randrange(2 * DAY_MS, 60 * DAY_MS),
    )


def _quotas(rng: Random, people: int, events: int) -> list[int]:
    """How many events each person sends: at least one if there are enough, and far more from the busy ones."""
    if not people:
        return []
    weights = [rng.lognormvariate(0, 0.8) for _ in range(people)]
    spare = max(0, events - people)
    total = sum(weights)
    quotas = [int(weight / total * spare) + (1 if number < events else 0) for number, weight in enumerate(weights)]
    for number in range(max(0, events) - sum(quotas)):
        quotas[number % people] += 1
    return quotas


def sent_again(rng: Random, arrival: int, line: bytes, end_ms: int) -> tuple[int, bytes]:
    """The same event by a client that did not hear the answer: only ``sentAt`` and ``receivedAt`` differ."""
    again = min(arrival + rng.randrange(1_000, 600_000), end_ms)
    record: dict[str, Any] = orjson.loads(line)
    record["sentAt"], record["receivedAt"] = iso(again - 120), iso(again)
    return again, orjson.dumps(record)


def _truth(everybody: list[Person], *, shared: bool) -> Iterator[tuple[str, str, str]]:
    """Whose each identifier is; what several people have is the first one's if ``shared``, else nobody's."""
    whose: dict[tuple[str, str], list[str]] = {}
    for person in everybody:
        for identifier in person.identifiers():
            whose.setdefault(identifier, []).append(person.name)
    for (namespace, value), names in whose.items():
        if shared or len(set(names)) == 1:
            yield namespace, value, names[0]
