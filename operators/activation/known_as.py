"""By which names the other side knows a person: what `match` is sent as, or was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.model.destinations import BUILT_IN, LEAVING, Destination
from operators.activation.applied import Apply, applied, text_of
from operators.activation.saying import path_value
from operators.activation.told import Person, Told


class KnownAs:
    """Reads the names of `match` out of people, as a destination is sent them."""

    def __init__(self, destination: Destination) -> None:
        vendor = destination.vendor
        self._names = destination.match or vendor.match
        self._any = tuple(tuple(name.split("+")) for name in vendor.identify) or (
            tuple((name,) for name in destination.match) if destination.kind in BUILT_IN else ()
        )
        self._normal: Mapping[str, Apply] = {name: applied(how) for name, how in vendor.normalise.items()}
        self._else = {name: [path_value(path) for path in paths] for name, paths in vendor.spellings.items()}
        self._only = destination.kind not in BUILT_IN

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are sent, in the order of the file."""
        return self._names

    def match(self, told: Told) -> dict[str, str]:
        """The names and what each is sent as. Who leaves is known by what was sent."""
        person = told.person
        before = _before(told)
        found: dict[str, str] = {}
        for name in self._names:
            value = before.get(name) if before else self._of(person, name)
            text = None if value is None else text_of(value).strip()
            if text and name in self._normal:
                text = self._normal[name](text)
            if text:
                found[name] = text
        return found

    def _of(self, person: Person, name: str) -> Any:
        identifiers, traits = person.get("identifiers") or {}, person.get("traits") or {}
        for value in (identifiers.get(name), traits.get(name), *(read(traits) for read in self._else.get(name, ()))):
            if value not in (None, "", [], {}):
                return value
        return None

    def is_enough(self, match: Mapping[str, str], derived: Mapping[str, Any]) -> bool:
        """Whether the other side can know who is meant. ``derived``: what the kind makes of the person, named ``derived.<name>``."""
        known = {*match, *(f"derived.{name}" for name in derived)}
        return not self._any or any(known.issuperset(names) for names in self._any)

    def person(self, told: Told, match: dict[str, str]) -> Person:
        """The person as requests may name them: identifiers and traits that `match` names are as they are sent."""
        person = told.person
        before = _before(told)
        identifiers = dict(person.get("identifiers") or {})
        traits = dict(person.get("traits") or {})
        for name in self._names:
            for holder in (identifiers, traits):
                if name in holder or (before and name in match):
                    holder.pop(name, None)
                    if name in match:
                        holder[name] = match[name]
        if self._only and self._names:
            identifiers = {name: value for name, value in identifiers.items() if name in self._names}
        found = {**person, "identifiers": identifiers, "traits": traits, "match": match}
        if told.call == "alias":
            found["old"] = person.get("old") or sent_as(person, None)
        remote = before.get("remote_id") or person.get("remote_id")
        if remote is not None:
            found["remote_id"] = remote
        return found


def _before(told: Told) -> dict[str, Any]:
    """What was sent of whoever leaves. Who is told to be another is called by what he is now, and was is his `old`."""
    return sent_as(told.person, told.audience) if told.call in LEAVING and told.call != "alias" else {}


def sent_as(person: Person, audience: str | None) -> dict[str, Any]:
    """What was sent of a person for an audience; without one, of all of them together."""
    said = person.get("sent_as") or {}
    if audience is not None:
        return dict(said.get(audience) or {})
    found: dict[str, Any] = {}
    for one in said.values():
        found = {**(one or {}), **found}
    return found


def chosen_traits(traits: Mapping[str, Any], names: Mapping[str, str] | None) -> dict[str, Any]:
    """The traits that a destination is told of, under their names there."""
    kept = {name: value for name, value in traits.items() if value is not None}
    if names is None:
        return kept
    return {there: kept[name] for name, there in names.items() if name in kept}
