"""Publishing the DuckDB snapshot from the state of all spaces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import structlog

from contracts.definitions import Definitions
from contracts.hashing import Hasher
from contracts.paths import parse_path
from operators.extract import Identifiers
from operators.view import View
from skep.settings import Settings, load_definitions
from skep.spaces import archive_path, open_views, snapshot_path
from state.errors import NoState, StateError
from state.snapshot import Personal, SnapshotReport, publish
from state.snapshot_personal import Hider


def publish_snapshot(settings: Settings) -> SnapshotReport:
    """Publish what is committed now."""
    personal = None if settings.snapshot_personal == "clear" else hidden(settings, load_definitions(settings))
    with open_views(settings) as views:
        archives = {space: archive_path(settings, space) for space in views}
        return publish(
            snapshot_path(settings), archives=archives, rows={space: SnapshotRows(view) for space, view in views.items()}, personal=personal
        )


class SnapshotRows:
    """A space's committed rows in the form in which the snapshot takes them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.applied, self.identifiers, self.links = view.applied, view.identifiers, view.links
        self.profiles, self.attributions, self.consents = view.profiles, view.attributions, view.consents

    @property
    def clock_us(self) -> int | None:
        return self._view.clock_us

    def changes(self) -> Iterator[tuple[int, bytes]]:
        return self._view.changes()

    def quarantine(self) -> Iterator[tuple[str, str, str, str, int, int | None, bytes]]:
        for row in self._view.quarantine():
            yield row.id, row.reason, row.detail, row.partition, row.position, row.received_at_us, row.raw


def publish_every(settings: Settings, seconds: float, stopping: Callable[[], bool]) -> None:
    """Publish again and again until ``stopping``; what goes wrong is told and tried again the next time."""
    log = structlog.get_logger()
    while not stopping():
        begun = time.monotonic()
        try:
            report = publish_snapshot(settings)
            log.info("snapshot published", path=str(report.target), mb=round(report.bytes / 1e6, 1), seconds=round(report.seconds, 2))
        except NoState:
            log.debug("nothing to publish yet")
        except StateError as error:
            log.warning("snapshot not published", because=str(error))
        # After a long build the pause is as long as the build was: the flow needs the processor, too.
        pause = max(seconds, time.monotonic() - begun)
        while not stopping() and time.monotonic() < begun + pause:
            time.sleep(0.1)


def hidden(settings: Settings, definitions: Definitions) -> Personal:
    """What of these definitions is personal, and how it is hidden."""
    namespaces = {namespace.name: namespace for namespace in definitions.identity.namespaces if namespace.personal}
    identifiers = Identifiers(definitions.identity)
    hashers = {space: Hasher(settings.secret, space) for space in settings.spaces}

    def normalise(namespace: str, text: str) -> str | None:
        found = identifiers.normalize(namespace, text)
        return None if found is None else found[1]

    def hashed(space: str, namespace: str, value: str) -> str:
        return hashers[space].personal(namespace, value)

    return Personal(
        paths={name: [parse_path(path) for path in namespace.paths] for name, namespace in namespaces.items()},
        normalise=normalise,
        hashed=hashed,
        traits=_personal_traits(definitions),
    )


def hide_traits(settings: Settings, definitions: Definitions, space: str) -> Callable[[str, Any], Any]:
    """What hides the values of personal traits in change events: the same hashes as in the snapshot."""
    hider = Hider(hidden(settings, definitions), space)
    return lambda name, value: hider.traits({name: deepcopy(value)})[name]


def _personal_traits(definitions: Definitions) -> dict[str, str]:
    """Computed traits that show the value of a personal path, with its namespace."""
    of_path = {path: namespace.name for namespace in definitions.identity.namespaces if namespace.personal for path in namespace.paths}
    found: dict[str, str] = {}
    for trait in definitions.traits:
        feature = definitions.features.get(trait.feature or "")
        if feature and feature.property and f"properties.{feature.property}" in of_path:
            found[trait.name] = of_path[f"properties.{feature.property}"]
    return found
