"""What activation is made of: the change logs of all spaces and the destinations of the project."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator

from connectors.audience import Audience
from connectors.changes import Changes
from connectors.deliver import Deliver
from connectors.destinations import Cursor, Destination, FileDestination
from contracts.problems import ContractErrors
from operators.view import View
from skep import ends, log, metrics
from skep.personal import hidden
from skep.settings import Settings, load_definitions
from skep.spaces import open_view, open_views
from state.errors import NoState, StateError
from state.snapshot_personal import Hider

WAIT_SECONDS = 60.0
"""How long a following activation waits for the flow's first commit."""


class Shown:
    """A space's change log as it may be seen: what was told of a trait before it counted as personal is hidden."""

    def __init__(self, view: View, hide: Callable[[bytes], bytes]) -> None:
        self.refresh, self._view, self._hide = view.refresh, view, hide

    def changes(self, since: int) -> Iterator[tuple[int, bytes]]:
        return ((sequence, self._hide(body)) for sequence, body in self._view.changes(since))


class Activation:
    """Everything that `flows.activation` holds open."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        definitions = load_definitions(settings)
        self._destinations = {each.name: (each, Audience.of(each, definitions)) for each in definitions.destinations}
        self._personal = None if settings.snapshot_personal == "clear" else hidden(settings, definitions)
        self._names = [f"{name}@{space}" for name in self._destinations for space in settings.spaces]
        self._stop = threading.Event()

    @classmethod
    def start(cls) -> Activation:
        """For the project of the environment; exits with a clear message if it cannot be."""
        try:
            ends.plain_ends()
            settings = Settings.load()
            log.configure(settings.log)
            metrics.keep_in(settings.data)
            activation = cls(settings)
        except (ContractErrors, StateError) as error:
            raise ends.stopped(error) from None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: activation._stop.set())
        return activation

    def changes(self) -> Changes:
        """The source: one partition for each destination and space."""
        return Changes(self._names, self._log, self._cursor, follow=self._settings.follow, stop=self._stop)

    def deliver(self) -> Deliver:
        """The sink."""
        return Deliver(self._destination, self._cursor)

    def _log(self, name: str) -> View | Shown:
        space = name.rpartition("@")[2]
        view = self._view(space)
        return view if self._personal is None else Shown(view, Hider(self._personal, space).change)

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

    def _destination(self, name: str) -> tuple[Destination, Audience]:
        found, audience = self._destinations[name.rpartition("@")[0]]
        return FileDestination(self._settings.root / found.path), audience


def pending(settings: Settings) -> dict[str, int]:
    """By destination and space, as ``name@space``: how many changes it has not been told; those that have been told all are left out."""
    behind: dict[str, int] = {}
    with open_views(settings) as views:
        for destination in load_definitions(settings).destinations:
            for space, view in views.items():
                name = f"{destination.name}@{space}"
                behind[name] = view.meta.changes - _cursor(settings, name).load()
    return {name: changes for name, changes in behind.items() if changes > 0}


def _cursor(settings: Settings, name: str) -> Cursor:
    return Cursor(settings.data / "cursors" / f"{name}.json")
