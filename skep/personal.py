"""What of a project's definitions is personal, and how it is hidden in the snapshot and in the change log."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from contracts.definitions import Definitions
from contracts.hashing import Hasher
from contracts.paths import parse_path
from operators.extract import Identifiers
from skep.settings import Settings
from state.snapshot_personal import Hider, Personal


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
