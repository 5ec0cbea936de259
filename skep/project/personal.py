"""What of a project's definitions is personal, and how it is hidden in the snapshot and in the change log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from graphlib import TopologicalSorter
from typing import Any

from contracts.meaning.inheritance import Inheritance
from contracts.meaning.personal import Hidden
from contracts.model.definitions import Definitions, Feature
from contracts.model.event_patterns import matches
from contracts.model.expressions import paths as paths_of
from contracts.model.hashing import Hasher
from contracts.model.of_accounts import of_accounts
from contracts.model.traits import Trait
from contracts.reading.derived import roots
from contracts.reading.lineage import inheritance_of, touches
from operators.extract import Identifiers
from operators.segments.sql.plan import Hidden as Hashed
from schemalogic.paths import Step, parse_path
from skep.project.personal_namespaces import personal_namespaces, tagged_paths, without_items
from skep.project.settings import Settings
from state.snapshot.personal import Hider, Personal

TAGGED = ":tagged"
"""In place of a namespace, for personal values that identify nobody by themselves; no namespace can be named so."""


def hidden(settings: Settings, definitions: Definitions) -> Personal:
    """What of these definitions is personal, and how it is hidden: by namespaces, and by the tags of contracts."""
    identifiers = Identifiers(definitions.identity)
    hashers = {space: Hasher(settings.secret, space) for space in settings.spaces}
    tagged = tagged_paths(definitions)
    namespaces = personal_namespaces(definitions, tagged)

    def normalise(namespace: str, text: str) -> str | None:
        found = identifiers.normalize(namespace, text)
        return None if found is None else found[1]

    def hashed(space: str, namespace: str, value: str) -> str:
        return hashers[space].personal(namespace, value)

    known = {without_items(path) for paths in namespaces.values() for path in paths}
    return Personal(
        paths=namespaces,
        normalise=normalise,
        hashed=hashed,
        traits=_personal_traits(definitions, inheritance_of(definitions), "trait", "identify", namespaces, tagged),
        account_traits=_personal_traits(
            of_accounts(definitions), inheritance_of(definitions), "account trait", "group", namespaces, tagged
        ),
        tagged={
            event: [(namespace or TAGGED, path) for namespace, path in paths if without_items(path) not in known]
            for event, paths in tagged.items()
        },
    )


def hidden_identifiers(settings: Settings, definitions: Definitions, space: str) -> Hashed | None:
    """The identifiers of which a snapshot has hashes; None if it has all values."""
    if settings.snapshot_personal == "clear":
        return None
    personal = hidden(settings, definitions)
    return Hashed(frozenset(personal.paths), lambda namespace, value: personal.hashed(space, namespace, value))


def hide_traits(settings: Settings, definitions: Definitions, space: str) -> Callable[[str, Any], Any]:
    """What hides the values of personal traits in change events: the same hashes as in the snapshot."""
    hider = Hider(hidden(settings, definitions), space)
    return lambda name, value: hider.trait(name, deepcopy(value) if isinstance(value, (dict, list)) else value)


def _personal_traits(  # noqa: PLR0917
    definitions: Definitions,
    inheritance: Inheritance,
    kind: str,
    call: str,
    namespaces: Mapping[str, Sequence[tuple[Step, ...]]],
    tagged: Mapping[str, Sequence[Hidden]],
) -> dict[str, str]:
    """Computed traits that show what is personal, with the namespace of the value. ``call``: the calls that say the others."""
    found: dict[str, str] = {}
    later: list[Trait] = []
    for trait in definitions.traits:
        feature = definitions.features.get(trait.feature or "")
        if feature is None:
            later += [trait] if trait.expression is not None else []
            continue
        shown = _shown(feature)
        ways = [(name, path) for name, paths in namespaces.items() for path in paths]
        for event, paths in tagged.items():
            if any(matches(pattern, event) for pattern in feature.events):
                ways += [(namespace or TAGGED, path) for namespace, path in paths]
        hiding = next((namespace for namespace, path in ways if len(shown) > 1 and touches(shown, path)), None)
        if hiding is not None:
            found[trait.name] = hiding
        elif inheritance.of(kind, trait.name).personal != "none":
            found[trait.name] = TAGGED
    said = [path for paths in namespaces.values() for path in paths] + [path for _, path in tagged.get(call, ())]
    for trait in _made_last(later):
        assert trait.expression is not None, "it is made of others"
        read = [parse_path(path) for path in paths_of(trait.expression)]
        of_calls = any(touches(("traits", *path), one) for path in read for one in said)
        if of_calls or any(path[0] in found for path in read) or inheritance.of(kind, trait.name).personal != "none":
            found[trait.name] = TAGGED
    return found


def _shown(feature: Feature) -> tuple[Step, ...]:
    """Where what is measured stands in an event."""
    steps = parse_path(feature.property) if feature.property else ()
    if feature.sent:
        return ("traits", *steps)
    return steps if len(steps) > 1 and steps[0] == "context" else ("properties", *steps)


def _made_last(traits: list[Trait]) -> Iterable[Trait]:
    """Each after those of which it is made."""
    by_name = {trait.name: trait for trait in traits}
    made = {
        name: [root for root in roots(one.expression) if root in by_name] for name, one in by_name.items() if one.expression is not None
    }
    return (by_name[name] for name in TopologicalSorter(made).static_order())
