"""The demo shop's events, and the truth about who its people are: the same bytes for the same seed.

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

import orjson

from skep.demo_broken import broken_line
from skep.demo_noise import noisy
from skep.demo_shop import FIRST_NAMES, LAST_NAMES
from skep.demo_visits import DAY_MS, END_MS, Person, iso, new_device, visits

DUPLICATE_SHARE = 0.005
BROKEN_SHARE = 0.003


@dataclass(slots=True)
class Demo:
    """Lines in the order in which they arrive, and the true person of every identifier among them."""

    lines: list[bytes]
    truth: list[tuple[str, str, str]] = field(default_factory=list)


def make_demo(people: int, events: int, seed: int, conflicts: float = 0.0, noise: float = 0.0) -> Demo:
    """``events`` lines of ``people`` people; ``conflicts`` is the share of them who share a device or an address.

    ``noise`` is the share of those with errors, as `skep.demo_noise` makes them; what two people share has no truth then.
    """
    rng = Random(seed)
    duplicates, broken = round(events * DUPLICATE_SHARE), round(events * BROKEN_SHARE)
    everybody = _people(rng, people, conflicts)
    if noise:
        everybody = noisy(Random(f"{seed} {noise}"), everybody, noise)
    arrivals: list[tuple[int, bytes]] = []
    for person, quota in zip(everybody, _quotas(rng, len(everybody), events - duplicates - broken), strict=True):
        if quota:
            arrivals += visits(rng, person, quota)
    originals = len(arrivals)
    for _ in range(duplicates if originals else 0):
        arrivals.append(_sent_again(rng, *arrivals[rng.randrange(originals)]))
    for number in range(broken if originals else 0):
        arrivals.append(broken_line(rng, number, *arrivals[rng.randrange(originals)]))
    arrivals.sort(key=lambda arrival: arrival[0])
    return Demo([line for _, line in arrivals], list(_truth(everybody, shared=not noise)))


def write_demo(  # noqa: PLR0917 - as the command has them
    out: Path, people: int, events: int, seed: int, conflicts: float = 0.0, noise: float = 0.0
) -> tuple[Path, Path]:
    """Write ``events.jsonl`` and ``_truth.jsonl``, which no source reads as events, into ``out`` and return both paths."""
    demo = make_demo(people, events, seed, conflicts, noise)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "events.jsonl").open("wb") as file:
        file.writelines(line + b"\n" for line in demo.lines)
    with (out / "_truth.jsonl").open("wb") as file:
        for namespace, value, person in demo.truth:
            file.write(orjson.dumps({"namespace": namespace, "value": value, "person": person}) + b"\n")
    return out / "events.jsonl", out / "_truth.jsonl"


def _people(rng: Random, people: int, conflicts: float) -> list[Person]:
    everybody: list[Person] = []
    for index in range(people):
        person = _person(rng, index)
        if everybody and rng.random() < conflicts:
            other = everybody[-1]
            person.logs_in = other.logs_in = True
            if rng.random() < 0.5:
                person.devices.append(other.devices[0])
            else:
                person.email = other.email
        everybody.append(person)
    return everybody


def _person(rng: Random, index: int) -> Person:
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
        since_ms=END_MS - rng.randrange(2 * DAY_MS, 60 * DAY_MS),
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


def _sent_again(rng: Random, arrival: int, line: bytes) -> tuple[int, bytes]:
    """The same event by a client that did not hear the answer: only ``sentAt`` and ``receivedAt`` differ."""
    again = arrival + rng.randrange(1_000, 600_000)
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
