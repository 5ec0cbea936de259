"""One space's destinations that are told through the ledger: a turn takes in what came, reads what has changed, and sends what is due.

All of it happens in the thread that calls `turn`, one commit of the ledger a turn; only the wire has a thread of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from random import Random

from connectors.destinations.wire import Wire
from contracts.model.definitions import Definitions
from operators.activation.by_request import through_ledger
from operators.activation.ledger_row import NEVER
from operators.activation.pace import BREAKS_AT, opens_at
from operators.view.space import View
from skep.project.log import logger
from skep.project.settings import Settings
from skep.project.spaces import orders_path
from skep.runtime.delivery.addressed import AbsentSecret, Addressed, addressed
from skep.runtime.delivery.answers import Answers
from skep.runtime.delivery.books import Books
from skep.runtime.delivery.intake import CHANGES_MAX, Intake
from skep.runtime.delivery.obeying import Orders
from skep.runtime.delivery.people import Everybody
from skep.runtime.delivery.requesting import outgoing
from skep.runtime.delivery.sending import Flight, Sending
from state.ledger import Ledger

_HOUR_US = 3_600_000_000


def now_us() -> int:
    """The wall clock, µs."""
    return time.time_ns() // 1000


class Courier:
    """``view``: the space, refreshed by the caller before each turn; ``clock``: the wall clock in µs; ``random``: for the jitter."""

    def __init__(
        self, settings: Settings, view: View, ledger: Ledger, wire: Wire, *, random: Random, clock: Callable[[], int] = now_us
    ) -> None:
        self._settings, self._view, self._wire, self._clock = settings, view, wire, clock
        self.books = Books(ledger)
        self._intake = Intake(view, self.books)
        self._sending = Sending(view, self.books)
        self._answers = Answers(self.books, view.hasher, random)
        self.destinations: dict[str, Addressed] = {}
        self._orders = Orders(orders_path(settings, view.space), self.books, lambda: self.destinations)
        self._under_way: dict[int, Flight] = {}
        self._forgot = 0
        self._people: Everybody | None = None
        self.stopping = False

    def use(self, definitions: Definitions) -> None:
        """The definitions that are in force; what is under way is settled by those before."""
        before, self.destinations = self.destinations, {}
        for destination in filter(through_ledger, definitions.destinations):
            try:
                found = addressed(destination, definitions, self.books, self._settings.root, self._settings.secret)
            except AbsentSecret as error:
                logger().error("a destination is told nothing, the others are", destination=destination.name, because=str(error))
                continue
            if destination.events:
                logger().warning("events are not told in this version, audiences, traits and changes are", destination=destination.name)
            known = before.get(destination.name)
            if known is not None:
                found.under_way, found.queue.busy = known.under_way, known.queue.busy
            self.destinations[destination.name] = found
            self.books.noted.keep_pace(found.name, found.pace)
            self._intake.begin(found)
        for flight in self._under_way.values():
            flight.to = self.destinations.get(flight.to.name, flight.to)
        self.books.commit()
        self._people = None

    def turn(self, *, follow: bool, fresh: bool = True) -> bool:
        """One turn; whether anything was done. ``follow``: a batch may wait to be filled, since more may come; ``fresh``: the view has
        been refreshed since the last turn."""
        now = self._clock()
        did = self._hear(now) | self._orders.look(now)
        if fresh or self._people is None:
            self._people = Everybody(self._view)
        for to in self.destinations.values():
            did |= self._read(to, self._people, now)
        did |= not self.stopping and self._send(self._people, now, follow=follow)
        if now - self._forgot > _HOUR_US:
            self._forgot = now
            self.books.forget_attempts(now)
        self.books.commit()
        return did

    def waits_for(self, most_us: int) -> int | None:
        """Until when there is something that will be due by itself and is worth waiting for; None if all is done that can be.

        ``most_us``: nothing later is. An open breaker, a destination that does not let us in or was paused is not waited for.
        """
        if self._under_way:
            return self._clock()
        found = None
        for to in self.destinations.values():
            if not self.stopping and self._behind(to):
                return self._clock()
            if self.stopping or to.pace.breaker != "closed":
                continue
            due = self.books.next_due(to.name)
            if due is None or due == NEVER:
                continue
            when = max(due, to.pace.held_until)
            if when <= most_us and (found is None or when < found):
                found = when
        return found

    @property
    def drained(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    def close(self) -> None:
        """Let go of the ledger; what is under way will be sent again."""
        self._wire.close()
        self.books.commit()
        self.books.close()

    # ---- a turn

    def _hear(self, now: int) -> bool:
        came = self._wire.finished()
        for reply in came:
            flight = self._under_way.pop(reply.number, None)
            if flight is not None:
                broken = flight.to.pace.failures >= BREAKS_AT
                self._answers.settle(flight, reply, now)
                self._tell(flight.to, broken)
        return bool(came)

    @staticmethod
    def _tell(to: Addressed, was_broken: bool) -> None:
        """Say it once when a destination stops, or goes on again."""
        state = to.pace.breaker
        if state in {"open", "auth"} and not was_broken and to.pace.failures in {0, BREAKS_AT}:
            logger().warning("a destination takes nothing", destination=to.name, because=to.pace.reason, breaker=state)
        elif was_broken and state == "closed":
            logger().info("a destination takes what is due again", destination=to.name)

    def _behind(self, to: Addressed) -> bool:
        changes = self._view.meta.changes if self._people is None else self._people.changes
        return (self.books.noted.cursor(to.name) or 0) < changes or self.books.noted.syncing(to.name) is not None

    def _read(self, to: Addressed, people: Everybody, now: int) -> bool:
        if self.stopping or not self._behind(to):
            return False
        self._intake.sync(to, people, now)
        since = self.books.noted.cursor(to.name) or 0
        if to.feed is not None and self.books.fed.count(to.name) >= (to.to.limits.backlog or 1):
            return False
        changes = list(islice(self._view.changes(since), CHANGES_MAX))
        if changes:
            self._intake.take(to, changes, people, now)
        self._intake.sizes(to, people.sizes, now)
        return True

    def _send(self, people: Everybody, now: int, *, follow: bool) -> bool:
        flights: list[Flight] = []
        for to in self.destinations.values():
            if opens_at(to.pace, to.to.limits, now, to.under_way) != now:
                continue
            # Rows that were written in this turn are read where RocksDB orders them.
            self.books.commit()
            to.queue.refill(now)
            flights += self._sending.flights(to, people, now, drained=not follow and not self._behind(to))
        if not flights:
            return False
        self.books.commit()
        for flight in flights:
            self._under_way[flight.number] = flight
        self._wire.start([outgoing(flight.number, flight.to.renderer, flight.request, now // 1_000_000) for flight in flights])
        return True
