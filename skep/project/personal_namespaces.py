"""Which namespaces are personal, and what else of events is: what the rules of identities and the tags of contracts say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.meaning.personal import Hidden, personal_paths
from contracts.model.definitions import Definitions
from contracts.reading.lineage import properties_of
from schemalogic.paths import Step, parse_path


def tagged_paths(definitions: Definitions) -> dict[str, list[Hidden]]:
    """What contracts tag as personal, and what identify calls write of traits that say that they are."""
    tagged = personal_paths(properties_of(definitions))
    for trait in definitions.traits:
        path: tuple[Step, ...] = ("traits", trait.name)
        known = tagged.get("identify", ())
        feature = definitions.features.get(trait.feature or "")
        if (feature is None or feature.sent) and trait.about.personal not in {"", "none"} and all(path != one for _, one in known):
            tagged["identify"] = [*known, ("", path)]
    return tagged


def personal_namespaces(definitions: Definitions, tagged: Mapping[str, Sequence[Hidden]]) -> dict[str, list[tuple[Step, ...]]]:
    """The personal namespaces and their paths: those that say so, and those of which a contract tags a value as personal."""
    named = {namespace for paths in tagged.values() for namespace, _ in paths}
    at = {without_items(path) for paths in tagged.values() for _, path in paths}
    found = {}
    for namespace in definitions.identity.namespaces:
        paths = [parse_path(path) for path in namespace.paths]
        if namespace.personal or namespace.name in named or any(without_items(path) in at for path in paths):
            found[namespace.name] = paths
    return found


def without_items(path: tuple[Step, ...]) -> tuple[Step, ...]:
    """Items of a list are hidden one by one, whether the path says so or not."""
    while path and path[-1] is None:
        path = path[:-1]
    return path
