"""`skep identity split`: the unlinks that leave some identifiers of a profile as one profile and take the rest away."""

from __future__ import annotations

import time
from typing import Any

from contracts.hashing import profile_id
from operators.records import Link, Person
from operators.stitch.clusters import lead
from skep.console import CommandError, out, table
from skep.control import Submitted, submit_all
from skep.identity.evidence import Evidence, holder_of, members, profile_of, standing, text_of
from skep.settings import Settings
from skep.spaces import one_space, open_view

Entry = dict[str, Any]


def split(
    settings: Settings, profile: str, keep: list[str], why: str, space: str | None, *, dry_run: bool
) -> tuple[Entry, list[Submitted]]:
    """What is cut and who results, and what came of the entries (none of a dry run). Raises CommandError if it cannot be done."""
    name = one_space(settings, space)
    view = open_view(settings, name)
    try:
        person = profile_of(view, profile)
        kept = {_kept(person, *holder_of(view, each), each) for each in keep}
        if len(kept) == len(person.identifiers):
            raise CommandError(
                f"--keep: expected some identifiers of {profile_id(person.key)}, found all of them → leave out those that go"
            )
        cut = _Cut(Evidence(view, [person]), person, kept)
        told, entries = cut.told(), cut.entries(why)
    finally:
        view.close()
    return told, [] if dry_run else submit_all(settings, name, entries)


def _kept(person: Person, holder: Person, identifier: Any, said: str) -> bytes:
    if holder.key != person.key:
        raise CommandError(
            f"--keep: expected an identifier of {profile_id(person.key)}, {said} is in {profile_id(holder.key)} → name its own"
        )
    found: bytes = identifier.hash
    return found


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
        self._near = self._decided()
        if self._kept & members(self._near, self._rest) or not self._kept <= members(self._near, [next(iter(kept))]):
            raise CommandError(
                "the profile cannot be split so: other people's links or a rule stand in the way → `skep identity explain` says which"
            )

    def _decided(self) -> Any:
        """Who is near whom when the entries have been applied."""
        now = time.time_ns() // 1000
        links = [link for link in self._evidence.links if (link.a, link.b) not in self._pairs]
        links += [Link(a, b, manual=True, first=now, last=now) for a, b in self._added]
        return self._evidence.near(standing(self._evidence, links, set(filter(self._shared, self._evidence.shared)), self._evidence.rules))

    def _shared(self, device: bytes) -> bool:
        """Whether a shared device is still one: who is unlinked from it was not identified on it."""
        identifier, pairs = self._evidence.identifiers[device], self._pairs
        persons = self._evidence.view.identified(identifier)
        left = sum((one, device) not in pairs and (device, one) not in pairs for one in persons)
        return left >= (self._evidence.rules.shared_after[identifier.namespace] or 0)

    def _hold_together(self) -> None:
        near, first = self._decided(), min(self._kept, key=self._evidence.rank)
        together = members(near, [first])
        for each in sorted(self._kept, key=self._evidence.rank):
            if each not in together:
                self._added.append((first, each))
                together |= members(near, [each])

    def told(self) -> Entry:
        pair = self._evidence.pair
        people, left = [], set(self._kept | self._rest)
        while left:
            found = members(self._near, [min(left, key=self._evidence.rank)])
            left -= found
            key = lead([self._evidence.identifiers[each] for each in found]).hash
            people.append({"profile": profile_id(key), "identifiers": sorted(map(pair, found)), "kept": bool(found & self._kept)})
        return {
            "unlink": [[pair(a), pair(b)] for a, b in self._pairs],
            "link": [[pair(a), pair(b)] for a, b in self._added],
            "people": sorted(people, key=lambda one: (not one["kept"], one["identifiers"])),
        }

    def entries(self, why: str) -> list[Entry]:
        """Links first, so that the kept ones are never apart."""
        said = [("link", each) for each in self._added] + [("unlink", each) for each in self._pairs]
        return [{"type": kind, "a": self._end(a), "b": self._end(b), "why": why} for kind, (a, b) in said]

    def _end(self, identifier: bytes) -> dict[str, str]:
        namespace, value = self._evidence.pair(identifier)
        return {"namespace": namespace, "value": value}


def show(told: Entry, *, dry_run: bool) -> None:
    """The cut for people."""
    rows = [(kind, *map(text_of, ends)) for kind in ("unlink", "link") for ends in told[kind]]
    table(("", "a", "b"), rows)
    out.print("\nwould be then:" if dry_run else "\nbecome:")
    table(("profile", "identifiers"), [(one["profile"], ", ".join(map(text_of, one["identifiers"]))) for one in told["people"]])
