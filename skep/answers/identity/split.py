"""The unlinks that leave some identifiers of a profile as one profile and take the rest away."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import msgspec

from contracts.model.hashing import profile_id
from contracts.text.times import iso
from operators.components import Components
from operators.records import Link, Person
from operators.stitch.clusters import accepted, lead
from skep.answers.identity.evidence import Evidence, Pair, holder_of, profile_of
from skep.answers.sandbox import sandbox
from skep.project.entries import Submitted, submit_all
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import one_space, open_view

Entry = dict[str, Any]
IN_THE_WAY = "the profile cannot be split so: other people's links or a rule stand in the way → `skep identity explain` says which"


class SplitProfile(msgspec.Struct, frozen=True):
    """A profile that results; ``kept``: it is the one with the identifiers that stay."""

    profile: str
    identifiers: list[Pair]
    kept: bool


class Split(msgspec.Struct, frozen=True):
    """Which pairs are cut, which are joined so that what stays holds together, who results, and the message ids of the entries."""

    unlink: list[list[Pair]]
    link: list[list[Pair]]
    people: list[SplitProfile]
    entries: list[str] = []

    @classmethod
    def of(cls, unlink: Iterable[list[Pair]], link: Iterable[list[Pair]], people: Iterable[SplitProfile]) -> Split:
        """The profile that stays comes first."""
        return cls(list(unlink), list(link), sorted(people, key=lambda one: (not one.kept, one.identifiers)))


def split(
    settings: Settings, profile: str, keep: list[str], why: str, space: str | None, *, dry_run: bool
) -> tuple[Split, list[Submitted]]:
    """What is cut and who results, and what came of the entries (none of a dry run). Raises CommandError if it cannot be done."""
    name = one_space(settings, space)
    with closing(open_view(settings, name)) as view:
        person = profile_of(view, profile)
        kept = {_kept(person, *holder_of(view, each), each) for each in keep}
        if len(kept) == len(person.identifiers):
            raise CommandError(
                f"--keep: expected some identifiers of {profile_id(person.key)}, found all of them → leave out those that go"
            )
        if view.program.definitions.identity.probabilistic is None:
            told = _Cut(Evidence(view, [person]), person, kept).told()
        else:
            names = [namespace.name for namespace in view.program.definitions.identity.namespaces]
            pairs = {each.hash: [names[each.namespace], each.value] for each in person.identifiers}
            told = _Trial(settings, name, pairs, kept).run(person)
    submitted = [] if dry_run else submit_all(settings, name, _entries(told.link, told.unlink, why))
    return msgspec.structs.replace(told, entries=[one.message_id for one in submitted]), submitted


def _entries(link: list[list[Pair]], unlink: list[list[Pair]], why: str) -> list[Entry]:
    """Links first, so that the kept ones are never apart."""
    said = [("link", ends) for ends in link] + [("unlink", ends) for ends in unlink]
    return [
        {"type": kind, **{key: {"namespace": end[0], "value": end[1]} for key, end in zip("ab", ends, strict=True)}, "why": why}
        for kind, ends in said
    ]


def _kept(person: Person, holder: Person, identifier: Any, said: str) -> bytes:
    if holder.key != person.key:
        raise CommandError(
            f"--keep: expected an identifier of {profile_id(person.key)}, {said} is in {profile_id(holder.key)} → name its own"
        )
    found: bytes = identifier.hash
    return found


class _Trial:
    """The same with links by likeness: the parts are other records than the whole, with links of their own, so each step is tried out."""

    def __init__(self, settings: Settings, space: str, pairs: dict[bytes, Pair], kept: set[bytes]) -> None:
        self._settings, self._space = settings, space
        self._pairs = pairs
        self._kept = kept
        self._cut: dict[tuple[bytes, bytes], None] = {}
        self._added: dict[tuple[bytes, bytes], None] = {}

    def run(self, person: Person) -> Split:
        """Find the entries; returns what is cut and who results. Raises CommandError if nothing parts them."""
        people = [person]
        while self._step(people):
            now = iso(time.time_ns() // 1000)
            entries = [{**entry, "timestamp": now, "messageId": str(at)} for at, entry in enumerate(self._entries())]
            with sandbox(self._settings, self._space) as box:
                box.enter(*entries)
                found = [holder for holder in map(box.view.holds, self._pairs) if holder is not None]
            people = list({one.key: one for one in found}.values())
        homes = [one for one in people if self._held(one) & self._kept]
        if len(homes) > 1 or self._held(homes[0]) - self._kept:
            raise CommandError(IN_THE_WAY)
        parts = (
            SplitProfile(profile_id(one.key), sorted(self._pairs[each] for each in self._held(one)), one is homes[0]) for one in people
        )
        return Split.of(self._named(self._cut), self._named(self._added), parts)

    def _entries(self) -> list[Entry]:
        return _entries(self._named(self._added), self._named(self._cut), "")

    def _named(self, pairs: Iterable[tuple[bytes, bytes]]) -> list[list[Pair]]:
        return [[self._pairs[a], self._pairs[b]] for a, b in pairs]

    def _held(self, person: Person) -> set[bytes]:
        return {each.hash for each in person.identifiers} & self._pairs.keys()

    def _step(self, people: list[Person]) -> bool:
        """Cut what joins kept ones and others, and join the kept ones; False if there is nothing more to do."""
        before = len(self._cut) + len(self._added)
        homes = [self._held(one) & self._kept for one in people if self._held(one) & self._kept]
        first = min(homes[0])
        self._added.update(dict.fromkeys((first, min(home)) for home in homes[1:]))
        for link in (link for one in people for link in one.links.values()):
            if {link.a, link.b} <= self._pairs.keys() and (link.a in self._kept) != (link.b in self._kept):
                self._cut[link.a, link.b] = None
        return len(self._cut) + len(self._added) > before


class _Cut:
    """Pairs between the kept identifiers and the others, standing or not, and links that hold the kept ones together without the others."""

    def __init__(self, evidence: Evidence, person: Person, kept: set[bytes]) -> None:
        self._evidence = evidence
        self._kept = kept
        self._rest = {each.hash for each in person.identifiers} - kept
        self._pairs = {
            (link.a, link.b): link
            for link in evidence.links
            if not (link.void and not link.manual)
            and {link.a in kept, link.b in kept} == {True, False}
            and {link.a, link.b} <= kept | self._rest
        }
        self._added: list[tuple[bytes, bytes]] = []
        self._hold_together()
        self._joined = self._decided()
        homes = {self._joined.root(each) for each in kept}
        if len(homes) > 1 or homes & {self._joined.root(each) for each in self._rest}:
            raise CommandError(IN_THE_WAY)

    def _decided(self) -> Components:
        """Who is joined with whom when the entries have been applied."""
        now = time.time_ns() // 1000
        links = [link for link in self._evidence.links if (link.a, link.b) not in self._pairs]
        links += [Link(a, b, manual=True, first=now, last=now) for a, b in self._added]
        stand = accepted(self._evidence.identifiers, links, set(filter(self._shared, self._evidence.shared)), self._evidence.rules)
        return Components(self._kept | self._rest, ((link.a, link.b) for link in stand))

    def _shared(self, device: bytes) -> bool:
        """Whether a shared device is still one: who is unlinked from it was not identified on it."""
        identifier, pairs = self._evidence.identifiers[device], self._pairs
        persons = self._evidence.view.identity.identified(identifier)
        left = sum((one, device) not in pairs and (device, one) not in pairs for one in persons)
        return left >= (self._evidence.rules.shared_after[identifier.namespace] or 0)

    def _hold_together(self) -> None:
        joined = self._decided()
        first, *others = sorted(self._kept, key=self._evidence.rank)
        for each in others:
            if joined.root(each) != joined.root(first):
                self._added.append((first, each))
                joined.join(first, each)

    def told(self) -> Split:
        pair = self._evidence.pair
        people = []
        for found in (part for part in self._joined.parts() if not (self._kept | self._rest).isdisjoint(part)):
            key = lead([self._evidence.identifiers[each] for each in found]).hash
            people.append(SplitProfile(profile_id(key), sorted(map(pair, found)), not self._kept.isdisjoint(found)))
        return Split.of(([pair(a), pair(b)] for a, b in self._pairs), ([pair(a), pair(b)] for a, b in self._added), people)
