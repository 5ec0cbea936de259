"""What became of people, for good: appended in the commit that makes it true, and never compacted as the change log may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from operators.change_log import ChangeLog
from operators.meta import Meta
from operators.people.turns import CREATED, ERASED, GAINED, GREW, LOST, MERGED, MERGED_INTO, RELEASED, SPLIT, SPLIT_FROM, Turn, encode_turn
from operators.records import Person
from state.family import Family
from state.keys import sequence_key

Rows = dict[tuple[bytes, int, bytes], list[bytes]]
"""(profile, kind, other) → identifiers"""


class History:
    """Collects what one cause does to people and writes what is left of it in the end: steps that undo each other leave no row."""

    def __init__(self, family: Family, meta: Meta, log: ChangeLog) -> None:
        self._family = family
        self._meta = meta
        self._log = log
        self._came: set[bytes] = set()
        self._went: set[bytes] = set()
        self._into: dict[bytes, bytes] = {}
        """Every profile that vanished, also one that this cause had made → the one that it went into."""

    def created(self, profile: bytes) -> None:
        """A profile is there that was not."""
        self._into.pop(profile, None)
        if profile in self._went:
            self._went.remove(profile)
        else:
            self._came.add(profile)

    def welcome(self, person: Person, rules: int) -> None:
        """Append at once what `created` and `write` come to for somebody whose identifiers nobody has had."""
        self._append({(person.key, CREATED, b""): [each.hash for each in person.identifiers]}, rules)

    def vanished(self, profile: bytes, into: bytes) -> None:
        """A profile is gone; ``into``: what it is part of now, empty if nothing names it any more."""
        self._into[profile] = into
        if profile in self._came:
            self._came.remove(profile)
        else:
            self._went.add(profile)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What happens inside is by itself: what has happened before, and is not written yet, waits."""
        before = self._came, self._went, self._into
        self._came, self._went, self._into = set(), set(), {}
        yield
        self._came, self._went, self._into = before

    @property
    def waiting(self) -> bool:
        """Whether profiles have come or gone since the last `write`."""
        return bool(self._came or self._went)

    def write(self, moves: Mapping[bytes, bytes], alias: Family, rules: int) -> None:
        """Append what has happened since the last call. ``moves``: identifier → the profile that held it before, empty if none did."""
        rows: Rows = {}
        came = self._came
        went = {profile: self._survivor(profile) for profile in self._went}
        for identifier, source in moves.items():
            target = alias.get(identifier) or b""
            if source == target:
                continue
            if not source:
                rows.setdefault((target, CREATED if target in came else GREW, b""), []).append(identifier)
                continue
            # Whoever was led by somebody else's identifier before came out of that.
            out = target in came and moves.get(target) == source
            self._changed_hands(rows, identifier, source, target, ends=went.get(source) == target, out=out)
        if came:
            told = {profile for profile, _, _ in rows}
            for profile in sorted(came - told):
                rows[profile, CREATED, b""] = []
        for profile in sorted(went):
            # Last, so that what is told last of a profile says whether it is there.
            end = (profile, MERGED_INTO if went[profile] else ERASED, went[profile])
            rows[end] = rows.pop(end, [])
        if rows:
            self._append(rows, rules)
        self._came, self._went, self._into = set(), set(), {}

    def _survivor(self, profile: bytes) -> bytes:
        while profile in self._into:
            profile = self._into[profile]
        return profile

    @staticmethod
    def _changed_hands(rows: Rows, identifier: bytes, source: bytes, target: bytes, *, ends: bool, out: bool) -> None:
        """``ends``: the source went into the target; ``out``: the target came out of the source."""
        if target:
            rows.setdefault((target, MERGED if ends else SPLIT_FROM if out else GAINED, source), []).append(identifier)
        elif identifier != source:
            rows[identifier, RELEASED, source] = [identifier]
        leaves = (MERGED_INTO if target else ERASED) if ends else SPLIT if out else LOST
        rows.setdefault((source, leaves, target), []).append(identifier)

    def _append(self, rows: Rows, rules: int) -> None:
        log, meta, pending = self._log, self._meta, self._family.pending
        by, cause = "message", log.cause
        if not isinstance(cause, str):
            by, cause = cause["type"], cause.get("id") or cause.get("digest", "")
        for (profile, kind, other), identifiers in rows.items():
            meta.turns += 1
            turn = Turn(meta.clock, log.time, kind, other, by, cause, rules, b"".join(sorted(identifiers)))
            pending[profile + sequence_key(meta.turns)] = encode_turn(turn)
