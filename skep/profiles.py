"""`skep profile`: looking somebody up, and showing what is known."""

from __future__ import annotations

from typing import Any

from contracts.definitions import Definitions
from contracts.problems import closest, listed
from operators.extract import Identifiers
from operators.view import View
from skep.console import CommandError, headline, json_bytes, out, table
from skep.layout import moment, text
from skep.settings import Settings, load_definitions
from skep.spaces import open_views


def parse(identifier: str) -> tuple[str, str]:
    """``user_id:42`` → ``("user_id", "42")``; the value may hold colons."""
    namespace, colon, value = identifier.partition(":")
    if not (namespace and colon and value):
        raise CommandError(f"expected NAMESPACE:VALUE such as user_id:42, found {identifier} → put the namespace before a colon")
    return namespace, value


def known_pair(definitions: Definitions, a: str, b: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Both identifiers of a link, whose namespaces must exist."""
    pair = parse(a), parse(b)
    for namespace, _ in pair:
        check_namespace(definitions, namespace)
    if pair[0] == pair[1]:
        raise CommandError(f"expected two different identifiers, found {a} twice → name the other one")
    return pair


def check_namespace(definitions: Definitions, namespace: str) -> None:
    names = [one.name for one in definitions.identity.namespaces]
    if namespace not in names:
        hint = closest(namespace, names) or "contracts/identity.yaml declares them"
        raise CommandError(f"expected one of the namespaces {listed(names)}, found {namespace} → {hint}")


def find_id(settings: Settings, profile: str, space: str | None) -> list[dict[str, Any]]:
    """The profile of an id such as change events name, also of one that has been merged into another."""
    with open_views(settings, space) as views:
        found = [(view, view.by_id(profile)) for view in views.values()]
        return [view.show(person) for view, person in found if person is not None]


def find(settings: Settings, namespace: str, value: str, space: str | None) -> list[dict[str, Any]]:
    """The profiles that hold the identifier, at most one a space."""
    check_namespace(load_definitions(settings), namespace)
    with open_views(settings, space) as views:
        found = [_held(view, namespace, value) for view in views.values()]
    return [profile for profile in found if profile is not None]


def _held(view: View, namespace: str, value: str) -> dict[str, Any] | None:
    """The holder of a value as people write it, normalised as in events."""
    normal = Identifiers(view.program.definitions.identity).normalize(namespace, value)
    return None if normal is None else view.profile(namespace, normal[1])


def show(profile: dict[str, Any]) -> None:
    """A profile for people."""
    headline(profile["id"], f"  space {profile['space']}  version {profile['version']}")
    unsure = "" if profile["confidence"] == 1 else f", one person with a probability of {profile['confidence']:g}"
    out.print(f"seen from {profile['first_seen'] or '–'} to {profile['last_seen'] or '–'}{unsure}\n")
    table(("identifier", text("value"), moment("first seen"), moment("last seen")), profile["identifiers"])
    granted = {name: "granted" if value else "denied" for name, value in profile["consents"].items()}
    for title, rows in (("trait", profile["traits"]), ("consent", granted)):
        if rows:
            out.print()
            table((title, text("")), [(name, trait_text(value)) for name, value in rows.items()])
    out.print(f"\nsegments: {', '.join(profile['segments']) or 'none'}")


def trait_text(value: Any) -> str:
    """A trait's value: texts as they are, the items of a list with commas, all else as in JSON, numbers exact."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        return ", ".join(map(trait_text, value))
    return json_bytes(value).decode()
