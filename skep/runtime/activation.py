"""What activation is made of: the change logs of all spaces, and the destinations that are in force in each."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from itertools import islice
from random import Random

from connectors.destinations.changes import BATCH_CHANGES, Changes
from connectors.destinations.destination import Change, Cursor, Delivery
from connectors.destinations.engine import OPENERS, Deliver
from connectors.destinations.wire import HttpWire, Wire
from contracts.model.definitions import Definitions
from contracts.model.destinations import Destination
from contracts.text.problems import ContractErrors
from operators.activation.audience import Audience
from operators.activation.by_request import through_ledger
from operators.activation.ledger_row import due_place
from operators.view.space import View
from skep.project.in_force import in_force
from skep.project.personal import hidden
from skep.project.settings import Settings
from skep.project.spaces import ledger_path, open_view, open_views
from skep.runtime import ends
from skep.runtime.delivery.courier import Courier, now_us
from skep.runtime.delivery.noted import KeptOfDestinations
from skep.runtime.starting import project
from state.errors import NoState, StateError, StateLocked
from state.ledger import Ledger, LedgerReader
from state.snapshot.personal import Hider

WAIT_SECONDS = 60.0
"""How long a following activation waits for the flow's first commit."""
REFRESH_SECONDS = 0.005
"""How often the newest state is looked at."""
TURN_US = 1_000
"""How soon it is looked again for an answer."""
DRAIN_SECONDS = 30.0
"""How long the end waits for answers to what is under way."""
WAIT = "SKEP_WAIT_S"
"""The environment variable by which `skep run --once` says how many seconds it waits for what is due later."""
WAIT_DEFAULT_S = 120.0
LOOK_SECONDS = 1.0
"""How often definitions are looked at while nothing changes."""


class SpaceLog:
    """A space's change log as it may be seen, for the destinations in force: what was told of a trait before it counted as personal is
    hidden. Definitions that take effect while it is read hold from the commit on in which they do."""

    def __init__(self, settings: Settings, view: View, cursor: Callable[[str], Cursor], wire: Callable[[], Wire], wait_us: int) -> None:
        """``wait_us``: how long at most is waited for what is due later, where nothing more is going to come."""
        self._settings, self._view, self._cursor, self._wire = settings, view, cursor, wire
        self._digest = ""
        self._courier: Courier | None = None
        self._until = now_us() + wait_us
        self._refreshed = -REFRESH_SECONDS
        self._looked = -LOOK_SECONDS
        self._hider: Hider | None = None
        self._recipients: dict[str, tuple[Destination, Audience]] = {}
        self._since: dict[str, int] = {}

    def poll(self) -> list[Delivery]:
        """See `connectors.destinations.changes.Log`."""
        now = time.monotonic()
        if self._courier is not None and not self._courier.drained and now - self._refreshed < REFRESH_SECONDS:
            self._courier.turn(follow=self._settings.follow, fresh=False)
            return []
        self._view.refresh()
        self._refreshed = now
        looked = self._news() or now - self._looked >= LOOK_SECONDS
        if looked:
            self._look()
        if self._courier is not None:
            self._courier.turn(follow=self._settings.follow)
        if not looked:
            return []
        return [
            Delivery(name, destination, audience.told(changes), changes[-1][0])
            for name, (destination, audience) in self._recipients.items()
            if (changes := self._next(name))
        ]

    def waits(self) -> timedelta | None:
        """See `connectors.destinations.changes.Log`."""
        until = None if self._courier is None else self._courier.waits_for(self._until)
        return None if until is None else timedelta(microseconds=max(TURN_US, until - now_us()))

    def close(self) -> None:
        """See `connectors.destinations.changes.Log`."""
        courier, self._courier = self._courier, None
        if courier is None:
            return
        courier.stopping = True
        until = time.monotonic() + DRAIN_SECONDS
        while not courier.drained and time.monotonic() < until:
            courier.turn(follow=False, fresh=False)
            time.sleep(TURN_US / 1e6)
        courier.close()

    def _news(self) -> bool:
        """Whether some destination has not been told all."""
        return bool(self._since) and next(self._view.changes(min(self._since.values())), None) is not None

    def _next(self, name: str) -> list[Change]:
        """The next changes of a destination, hidden as it may see them."""
        since = self._since[name]
        found = list(islice(self._view.changes(since), BATCH_CHANGES))
        self._since[name] = found[-1][0] if found else since
        return found if self._hider is None else [(sequence, self._hider.change(body)) for sequence, body in found]

    def _look(self) -> None:
        """The destinations of the definitions in force in what was committed."""
        self._looked = time.monotonic()
        digest = self._view.meta.digest
        if digest and digest != self._digest:
            self._digest = digest
            self._use(self._view.program.definitions)

    def _use(self, definitions: Definitions) -> None:
        settings, space = self._settings, self._view.space
        self._hider = None if settings.snapshot_personal == "clear" else Hider(hidden(settings, definitions), space)
        told = [each for each in definitions.destinations if each.kind in OPENERS]
        self._recipients = {f"{each.name}@{space}": (each, Audience.of(each, definitions)) for each in told}
        if any(map(through_ledger, definitions.destinations)) or self._courier is not None:
            if self._courier is None:
                self._courier = Courier(settings, self._view, _ledger(settings, space), self._wire(), random=Random())
            self._courier.use(definitions)
        known = self._since
        self._since = {name: known[name] if name in known else self._cursor(name).load() for name in self._recipients}


class Activation:
    """Everything that `flows.activation` holds open."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()

    @classmethod
    def start(cls) -> Activation:
        """For the project of the environment; exits with a clear message if it cannot be."""
        try:
            settings = project()
            for space in settings.spaces:
                in_force(settings, space)
            activation = cls(settings)
        except (ContractErrors, StateError) as error:
            raise ends.stopped(error) from None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: activation._stop.set())
        return activation

    def changes(self) -> Changes:
        """The source: the logs of all spaces."""
        return Changes(self._logs, follow=self._settings.follow, stop=self._stop)

    def deliver(self) -> Deliver:
        """The sink."""
        return Deliver(self._settings.root, self._cursor)

    def _logs(self) -> list[SpaceLog]:
        wait_us = round(float(os.environ.get(WAIT, WAIT_DEFAULT_S)) * 1e6)
        return [SpaceLog(self._settings, self._view(space), self._cursor, HttpWire, wait_us) for space in self._settings.spaces]

    def _view(self, space: str) -> View:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return open_view(self._settings, space)
            except NoState:
                if not self._settings.follow or self._stop.is_set() or time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def _cursor(self, name: str) -> Cursor:
        return _cursor(self._settings, name)


def _ledger(settings: Settings, space: str) -> Ledger:
    """The ledger to write: a command that does activation's work has it for a moment. Raises `StateLocked` if another activation has."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return Ledger(ledger_path(settings, space))
        except StateLocked:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def pending(settings: Settings) -> dict[str, int]:
    """By destination and space, as ``name@space``: how many changes it has not been told, or how much of what is wanted
    it has not acknowledged; those that have been told all are left out."""
    behind: dict[str, int] = {}
    with open_views(settings) as views:
        for space, view in views.items():
            due = due_rows(settings, space)
            for destination in view.program.definitions.destinations:
                name = f"{destination.name}@{space}"
                if destination.kind in OPENERS:
                    behind[name] = view.meta.changes - _cursor(settings, name).load()
                elif through_ledger(destination):
                    behind[name] = due.get(destination.name, view.meta.changes)
    return {name: changes for name, changes in behind.items() if changes > 0}


def due_rows(settings: Settings, space: str) -> dict[str, int]:
    """By destination that is told through the ledger, how much of what is wanted it has not acknowledged yet."""
    found: dict[str, int] = {}
    try:
        ledger = LedgerReader(ledger_path(settings, space))
    except NoState:
        return found
    with closing(ledger):
        found.update(dict.fromkeys(KeptOfDestinations(ledger.meta).begun(), 0))
        for key, _ in ledger.scan("due"):
            name = due_place(key)[1].destination
            found[name] = found.get(name, 0) + 1
    return found


def _cursor(settings: Settings, name: str) -> Cursor:
    return Cursor(settings.data / "cursors" / f"{name}.json")
