"""`skep demo --live`: the demo's people go on shopping, now, into the file that a flow follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from skep.project.errors import CommandError
from skep.tools.demo.broken import broken_line
from skep.tools.demo.events import BROKEN_SHARE, DUPLICATE_SHARE, EVENTS, Shop, everybody_of, made, sent_again
from skep.tools.demo.visits import Person, Visit, identify, message_id, sent, step_of

STEP_SECONDS = 45
"""About how long a visitor looks at a page, so how many visitors make a step a second."""
TICK_SECONDS = 0.1
BEHIND_SECONDS = 1.0
"""What is written at once at most, after a pause of the whole machine."""


@dataclass(slots=True)
class _Going:
    """A visit that goes on: how many of its steps are left, how many were made, and at which the visitor logs in, -1 for never."""

    visit: Visit
    left: int
    made: int = 0
    login: int = -1


class Visitors:
    """Those who are in the shop at one time: as many as make ``rate`` steps a second. Who leaves is followed by somebody else."""

    def __init__(self, rng: Random, everybody: list[Person], rate: float) -> None:
        self._rng, self._everybody = rng, everybody
        self._going = [self._enters() for _ in range(max(1, round(rate * STEP_SECONDS)))]
        self._last = b""
        self._broken = 0

    def line(self, now_ms: int) -> bytes:
        """The next record, which arrives now: an event, now and then the last one again, or something broken, as from any shop."""
        rng, chance = self._rng, self._rng.random()
        if self._last and chance < BROKEN_SHARE:
            self._broken += 1
            return broken_line(rng, self._broken, now_ms, self._last, now_ms)[1]
        if self._last and chance < BROKEN_SHARE + DUPLICATE_SHARE:
            return sent_again(rng, now_ms, self._last, now_ms)[1]
        self._last = self._step(now_ms)
        return self._last

    def _step(self, now_ms: int) -> bytes:
        rng = self._rng
        at = rng.randrange(len(self._going))
        going = self._going[at]
        visit = going.visit
        visit.now_ms = now_ms - visit.delay_ms
        if going.made == going.login:
            visit.logged_in = True
            record = identify(rng, visit.person)
        else:
            record = step_of(rng, visit, going.made, going.login)
        going.made += 1
        going.left -= 1
        if not going.left:
            self._going[at] = self._enters()
        return sent(rng, visit, record)[1]

    def _enters(self) -> _Going:
        rng = self._rng
        person = rng.choice(self._everybody)
        recognised = person.logs_in and rng.random() < 0.5
        visit = Visit(person, rng.choice(person.devices), recognised, rng.randrange(150, 3_000), 0, message_id(rng)[:8])
        length = 1 + int(rng.expovariate(1 / 8))
        return _Going(visit, length, login=rng.randrange(min(length, 4)) if person.logs_in and not recognised else -1)


def found(out: Path) -> Shop:
    """The demo in a folder, to go on with. Raises `CommandError` if there is none."""
    shop = made(out)
    if shop is None or not (out / EVENTS).exists():
        raise CommandError(f"{out}: expected a demo to go on with, found none → make one first: skep demo --out {out}")
    return shop


def live(out: Path, shop: Shop, rate: float, stopping: Callable[[], bool]) -> int:
    """Append ``rate`` events a second of a shop's people to its demo in ``out`` until ``stopping``; returns how many."""
    visitors = Visitors(Random(), everybody_of(shop), rate)
    written = 0
    with (out / EVENTS).open("ab", buffering=0) as file:
        for due in _due(rate, stopping):
            # In one piece, so that who follows the file finds whole lines.
            file.write(b"".join(visitors.line(time.time_ns() // 1_000_000) + b"\n" for _ in range(due)))
            written += due
    return written


def _due(rate: float, stopping: Callable[[], bool]) -> Iterator[int]:
    """How many events are due, again and again."""
    owed, last = 0.0, time.monotonic()
    while not stopping():
        time.sleep(TICK_SECONDS)
        now = time.monotonic()
        owed += rate * min(now - last, BEHIND_SECONDS)
        last = now
        if owed >= 1:
            yield int(owed)
            owed -= int(owed)
