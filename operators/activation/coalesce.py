"""From changes with their people, and events, to what is to be told: of each membership the last state, of each event itself.

A dead destination costs a row a person: enter, exit, enter is one `enter`. It is assumed that whoever leaves was once told to have entered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.envelope import content_id, named
from contracts.model.destinations import Destination
from contracts.reading.events_wanted import is_wanted
from operators.activation.known_as import chosen_traits
from operators.activation.told import Asked, Person, Told

Line = tuple[int, dict[str, Any]]
"""Its number, and an event with ``person``, or ``change`` and ``person``."""
CALLED = {"identify": "update", "alias": "alias", "group": "group"}
"""The calls that are no events, and as what each of them is told."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is wanted of a person in an audience, or (without one) of the traits; ``anew``: what was sent before goes first."""

    line: int
    version: int
    wanted: Asked
    person: Person
    change: dict[str, Any]
    anew: bool = False


class Coalesced:
    """Takes lines in order. Rows are by audience and profile; a line of an older version than its row's changes nothing."""

    def __init__(self, destination: Destination) -> None:
        self._to = destination
        self._match = frozenset(destination.match or destination.vendor.match)
        self._rows: dict[tuple[str | None, str], Row] = {}
        self._others: list[tuple[int, Told]] = []
        self._seen: set[str] = set()

    def told(self) -> list[tuple[int, Told]]:
        """Everything to be told with the number of its line, in the order of the lines."""
        found = [(row.line, one) for (audience, _), row in self._rows.items() for one in self._row(audience, row)]
        return sorted([*self._others, *found], key=lambda pair: pair[0])

    def take(self, line: int, said: Mapping[str, Any]) -> None:
        """A line: ``{"change", "person"}``, or ``{"event", "person"}``."""
        if "event" in said:
            self._event(line, said["event"], said["person"])
        else:
            self._change(line, said["change"], said["person"])

    def _event(self, line: int, body: dict[str, Any], person: Person) -> None:
        call = str(body.get("type"))
        name = named(body, call)[0] or call
        key = str(body.get("messageId") or content_id(body))
        if not is_wanted(self._to.events, name) or key in self._seen:
            return
        self._seen.add(key)
        asked: Asked = CALLED.get(call, "event")  # type: ignore[assignment] # the table holds nothing else
        if asked == "update":
            traits = body.get("traits") or {}
            names = self._to.traits or {}
            person = {**person, "traits": {names.get(trait, trait): value for trait, value in traits.items()}}
        self._others.append((line, Told(asked, person, key, event=body)))

    def _change(self, line: int, change: dict[str, Any], person: Person) -> None:
        how = _CHANGES.get(str(change.get("type")))
        if how is None:
            return
        for audience, row in how(self, line, change, person):
            key = (audience, str(change.get("profile") or person.get("profile")))
            before = self._rows.get(key)
            if before is None or row.version >= before.version:
                self._rows[key] = replace(row, anew=row.anew or (before is not None and before.anew and row.wanted != "exit"))

    def _of(self, line: int, change: dict[str, Any], person: Person, wanted: Asked, *, anew: bool = False) -> Row:
        version = change.get("version") or person.get("version") or 0
        return Row(line, int(version), wanted, person, change, anew)

    def _memberships(self, person: Person) -> list[str]:
        """The audiences of this destination that the other side has the person in."""
        inside = dict.fromkeys([*(person.get("sent_as") or {}), *(person.get("segments") or ())])
        return [segment for segment in inside if self._to.asks_for(segment)]

    def entered(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        segment = str(change.get("segment"))
        if not self._to.asks_for(segment):
            return
        yield segment, self._of(line, change, person, "enter")
        if self._to.traits:
            yield None, self._of(line, change, person, "update")

    def exited(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        segment = str(change.get("segment"))
        if self._to.asks_for(segment):
            yield segment, self._of(line, change, person, "exit")
            others = [one for one in person.get("segments") or () if one != segment and self._to.asks_for(one)]
            if not others and self._to.people == "audience":
                self._rows.pop((None, str(change.get("profile") or person.get("profile"))), None)

    def updated(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        trait = str(change.get("trait"))
        members = [one for one in person.get("segments") or () if self._to.asks_for(one)]
        if trait in self._match:
            yield from self._anew(line, change, person)
        if trait in (self._to.traits or {}) and (members or self._to.people == "all"):
            yield None, self._of(line, change, person, "update")

    def renamed(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        if self._match & {*(change.get("namespaces") or ())}:
            yield from self._anew(line, change, person)

    def _anew(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        """Of a member the old name goes, and the new one comes."""
        for segment in person.get("segments") or ():
            if self._to.asks_for(segment):
                yield segment, self._of(line, change, person, "enter", anew=segment in (person.get("sent_as") or {}))

    def merged(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        gone = change.get("merged")
        if gone is not None and gone == person.get("profile"):
            yield from self.left(line, {**change, "profile": gone}, person)
        elif self._to.vendor.identity == "alias" and person.get("old"):
            key = f"{self._to.name}:alias:{change.get('profile')}:{change.get('version')}"
            self._others.append((line, Told("alias", person, key, change=change)))

    def left(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        for segment in self._memberships(person):
            yield segment, self._of(line, change, person, "exit")

    def erased(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        if (change.get("cause") or {}).get("type") == "erasure":
            key = f"{self._to.name}:erase:{change.get('profile')}:{change.get('version')}"
            self._others.append((line, Told("erase", person, key, change=change)))
        elif self._to.on_delete == "exit":
            yield from self.left(line, change, person)

    def consented(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        if self._to.purpose and change.get("purpose") == self._to.purpose:
            wanted: Asked = "enter" if (person.get("consents") or {}).get(self._to.purpose) is True else "exit"
            among = self._memberships(person) if wanted == "exit" else person.get("segments") or ()
            for segment in among:
                if self._to.asks_for(segment):
                    yield segment, self._of(line, change, person, wanted)

    def surer(self, line: int, change: dict[str, Any], person: Person) -> Iterator[tuple[str | None, Row]]:
        floor, held = self._to.confidence, change.get("evidence") or {}
        if floor is None:
            return
        was, now = held.get("before", 1.0) >= floor, held.get("confidence", change.get("confidence") or 1.0) >= floor
        if was and not now:
            yield from self.left(line, change, person)
        elif now and not was:
            for segment in person.get("segments") or ():
                if self._to.asks_for(segment):
                    yield segment, self._of(line, change, person, "enter")

    def _row(self, audience: str | None, row: Row) -> Iterator[Told]:
        profile = row.change.get("profile") or row.person.get("profile")
        key = f"{self._to.name}:{audience or ''}:{profile}:{row.version}"
        person = row.person
        if row.wanted == "update":
            traits = chosen_traits(person.get("traits") or {}, self._to.traits)
            yield Told("update", {**person, "traits": traits}, key, change=row.change)
            return
        if row.anew:
            yield Told("exit", person, f"{key}:before", audience, row.change)
        yield Told(row.wanted, person, key, audience, row.change)


_CHANGES: Mapping[str, Any] = {
    "segment.entered": Coalesced.entered,
    "segment.exited": Coalesced.exited,
    "profile.updated": Coalesced.updated,
    "identity.identifiers": Coalesced.renamed,
    "identity.merged": Coalesced.merged,
    "identity.confidence": Coalesced.surer,
    "profile.erased": Coalesced.erased,
    "consent.changed": Coalesced.consented,
}


def coalesced(destination: Destination, lines: Iterable[Line]) -> list[tuple[int, Told]]:
    """What is to be told for these lines, each with the number of the line that it follows from."""
    found = Coalesced(destination)
    for number, said in lines:
        found.take(number, said)
    return found.told()
