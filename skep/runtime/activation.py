"""What activation is made of: the change logs of all spaces, and the destinations that are in force in each."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from itertools import islice

from connectors.destinations.changes import BATCH_CHANGES, Changes
from connectors.destinations.destination import Change, Cursor, Delivery
from connectors.destinations.engine import OPENERS, Deliver
from contracts.model.definitions import Definitions
from contracts.model.destinations import Destination
from contracts.text.problems import ContractErrors
from operators.activation.audience import Audience
from operators.view.space import View
from skep.project.in_force import in_force
from skep.project.personal import hidden
from skep.project.settings import Settings
from skep.project.spaces import open_view, open_views
from skep.runtime import ends
from skep.runtime.starting import project
from state.errors import NoState, StateError
from state.snapshot.personal import Hider

WAIT_SECONDS = 60.0
"""How long a following activation waits for the flow's first commit."""
LOOK_SECONDS = 1.0
"""How often definitions are looked at while nothing changes."""


class SpaceLog:
    """A space's change log as it may be seen, for the destinations in force: what was told of a trait before it counted as personal is
    hidden. Definitions that take effect while it is read hold from the commit on in which they do."""

    def __init__(self, settings: Settings, view: View, cursor: Callable[[str], Cursor]) -> None:
        self._settings, self._view, self._cursor = settings, view, cursor
        self._digest = ""
        self._looked = -LOOK_SECONDS
        self._hider: Hider | None = None
        self._recipients: dict[str, tuple[Destination, Audience]] = {}
        self._since: dict[str, int] = {}

    def poll(self) -> list[Delivery]:
        """See `connectors.destinations.changes.Log`."""
        self._view.refresh()
        if not self._news() and time.monotonic() - self._looked < LOOK_SECONDS:
            return []
        self._look()
        return [
            Delivery(name, destination, audience.told(changes), changes[-1][0])
            for name, (destination, audience) in self._recipients.items()
            if (changes := self._next(name))
        ]

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
        return [SpaceLog(self._settings, self._view(space), self._cursor) for space in self._settings.spaces]

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


def pending(settings: Settings) -> dict[str, int]:
    """By destination and space, as ``name@space``: how many changes it has not been told; those that have been told all are left out."""
    behind: dict[str, int] = {}
    with open_views(settings) as views:
        for space, view in views.items():
            for destination in (one for one in view.program.definitions.destinations if one.kind in OPENERS):
                name = f"{destination.name}@{space}"
                behind[name] = view.meta.changes - _cursor(settings, name).load()
    return {name: changes for name, changes in behind.items() if changes > 0}


def _cursor(settings: Settings, name: str) -> Cursor:
    return Cursor(settings.data / "cursors" / f"{name}.json")
