"""Looking somebody up: the living profile of an identifier or of an id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from contracts.model.definitions import Definitions
from contracts.text.problems import closest, listed
from operators.extract import Identifiers
from operators.records import Person
from operators.view.space import View
from skep.project.errors import CommandError
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import open_views
from skep.project.terminal import ID_MIN
from state.errors import NoState


class Profile(msgspec.Struct, frozen=True):
    """A profile, now or ``at`` an earlier time. Times are ISO 8601.

    ``identifiers``: namespace, value, first and last seen of each. ``consents``: what was decided, by purpose; ``consent_defaults``: what
    counts of the others. ``accounts``: the stays at accounts. ``version``: None of an earlier time.
    """

    id: str
    space: str
    traits: dict[str, Any]
    features: dict[str, Any]
    segments: list[str]
    consents: dict[str, bool]
    confidence: float
    consent_defaults: dict[str, bool]
    accounts: list[list[str | None]]
    identifiers: list[list[str]]
    first_seen: str | None
    last_seen: str | None
    version: int | None
    at: str | None = None


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
        check_namespace([definitions], namespace)
    if pair[0] == pair[1]:
        raise CommandError(f"expected two different identifiers, found {a} twice → name the other one")
    return pair


def check_namespace(known: Iterable[Definitions], namespace: str) -> None:
    """A namespace must be in force somewhere."""
    names = list(dict.fromkeys(one.name for definitions in known for one in definitions.identity.namespaces))
    if namespace not in names:
        hint = closest(namespace, names) or "contracts/identity.yaml declares them"
        raise CommandError(f"expected one of the namespaces {listed(names)}, found {namespace} → {hint}")


@contextmanager
def living(settings: Settings, who: str, space: str | None) -> Iterator[list[tuple[View, Person]]]:
    """The profiles of ``NS:VALUE``, or of an id such as change events name, at most one a space; also of one that is merged by now."""
    named = who.startswith("p_") and ":" not in who
    namespace, value = ("", "") if named else parse(who)
    try:
        with open_views(settings, space) as views:
            if not named:
                check_namespace((view.program.definitions for view in views.values()), namespace)
            found = [(view, by_id(view, who) if named else _held(view, namespace, value)) for view in views.values()]
            yield [(view, person) for view, person in found if person is not None]
    except NoState:
        # A misspelt namespace is told before there is anybody, too.
        if not named:
            check_namespace([load_definitions(settings)], namespace)
        raise


def nobody(who: str) -> str:
    """That nobody is found, in words."""
    return f"nobody has {who}: expected an identifier of an accepted event → `skep status` shows how many people there are"


def by_id(view: View, profile: str) -> Person | None:
    """The profile of an id, or of the beginning of one, if no other begins so, as tables show it."""
    person = view.profiles.by_id(profile)
    if person is not None or len(profile) < ID_MIN:
        return person
    ids = view.profiles.ids(profile)
    if len(ids) > 1:
        raise CommandError(f"expected the id of one profile, found {profile}, with which {' and '.join(ids)} begin → write more of it")
    return view.profiles.by_id(ids[0]) if ids else None


def find(settings: Settings, who: str, space: str | None) -> list[Profile]:
    """The profiles that `living` finds."""
    with living(settings, who, space) as found:
        return [Profile(**view.profiles.show(person)) for view, person in found]


def _held(view: View, namespace: str, value: str) -> Person | None:
    """The holder of a value as people write it, normalised as in events."""
    normal = Identifiers(view.program.definitions.identity).normalize(namespace, value)
    return None if normal is None else view.profiles.holder(namespace, normal[1])
