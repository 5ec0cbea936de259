"""The accounts of a space: what group calls say of them, and who belongs to them.

An account is kept in the form of a person: its id is its only identifier, its traits are registers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from contracts.envelope import message_hash
from contracts.model.batches import Event
from contracts.model.hashing import Hasher
from operators.records import Identifier, Person, decode_person, encode
from operators.stays import LEAVES, Stay
from state.family import Family
from state.keys import time_key, time_of
from state.shard import Shard

CACHED_MAX: Final = 10_000
"""Accounts that are kept decoded between two commits; all are forgotten when there are more."""
_BEHIND = b"\xff" * 33
"""Behind every key that begins with an account's."""

_decode_call = msgspec.msgpack.Decoder(tuple[str, bytes, dict[str, Any]]).decode
"""A row of ``calls``: message id, the hash of the identifier that the event hangs on, traits."""
decode_stays = msgspec.msgpack.Decoder(list[tuple[int, int | None]]).decode
"""A row of ``members``."""


class Call(NamedTuple):
    """A group call: its time and message id, the hash of the identifier that it hangs on, and its traits."""

    time_us: int
    message: str
    anchor: bytes
    traits: dict[str, Any]


class Accounts:
    """Over the families ``accounts``, ``calls`` (by account, time and message) and ``members`` (by account and profile)."""

    def __init__(self, shard: Shard, hasher: Hasher) -> None:
        self._accounts: Family = shard.accounts
        self._calls: Family = shard.calls
        self._members: Family = shard.members
        self._hasher = hasher
        self._cached: dict[bytes, Person] = {}
        self._dirty: dict[bytes, Person] = {}
        self.some = next(self._accounts.committed(b""), None) is not None
        """Whether there may be any."""
        self.waiting = False
        """Whether something has to be done at the end of the event: of ``unsure`` or of ``moved``."""
        self.unsure: set[bytes] = set()
        """Keys of people whose stays have to be gone through again."""
        self.moved: dict[bytes, set[str]] = {}
        """By account the traits that have changed."""

    def key(self, account: str) -> bytes:
        """The 16 bytes of an account."""
        return self._hasher.account(account)

    def of(self, account: str) -> Person | None:
        """An account by its id."""
        return self._at(self.key(account))

    def _at(self, key: bytes) -> Person | None:
        found = self._cached.get(key)
        if found is None:
            row = self._accounts.get(key)
            if row is None:
                return None
            found = self._cached[key] = decode_person(row)
        return found

    # ---- what is said of them

    def say(self, event: Event, anchor: bytes) -> None:
        """A group call that is new, and hangs on an identifier of this hash."""
        assert event.group is not None, "it names an account"
        account, traits = event.group
        self.take(account, Call(event.time_us, event.message_id, anchor, traits))

    def take(self, account: str, call: Call) -> None:
        """The same of a call as it is kept."""
        key = self.key(account)
        found = self._at(key)
        if found is None:
            found = self._cached[key] = Person(key, [Identifier(0, account, key, 0, 0)], {})
        self.some = True
        self._dirty[key] = found
        self._calls.put(_call_key(key, call.time_us, call.message), encode((call.message, call.anchor, call.traits)))
        moved = _said(found.traits, call.traits, call.time_us, call.message)
        if moved:
            self._moved(key, moved)

    def unsay(self, event: Event) -> None:
        """A group call that no longer counts. An account that no call names any more is none."""
        assert event.group is not None, "it names an account"
        account, traits = event.group
        key, mine = self.key(account), [event.time_us, event.message_id]
        self._calls.delete(_call_key(key, event.time_us, event.message_id))
        found = self._at(key)
        assert found is not None, "an account of which something was said"
        before, left = found.traits, False
        if any(name in before and before[name][:2] == mine for name in traits):
            found.traits = {}
            for call in self.calls(key):
                left = True
                _said(found.traits, call.traits, call.time_us, call.message)
            self._moved(key, {name for name in before.keys() | found.traits.keys() if before.get(name) != found.traits.get(name)})
        else:
            left = next(self.calls(key), None) is not None
        if left:
            self._dirty[key] = found
        else:
            self._cached.pop(key, None)
            self._dirty.pop(key, None)
            self._accounts.delete(key)

    def calls(self, key: bytes) -> Iterator[Call]:
        """Every call that names an account, in no order."""
        return calls_of(self._calls.rows(key, key + _BEHIND))

    def _moved(self, key: bytes, names: set[str]) -> None:
        self.moved.setdefault(key, set()).update(names)
        self.waiting = True

    # ---- who belongs to them

    def keep(self, account: str, person: bytes, stays: list[Stay]) -> None:
        """Keep the stays of somebody at an account; none takes the row away."""
        key = self.key(account) + person
        row = encode(stays) if stays else None
        if self._members.get(key) == row:
            return
        if row is None:
            self._members.delete(key)
        else:
            self._members.put(key, row)

    def belonging(self, key: bytes) -> list[bytes]:
        """The keys of those who belong to an account now, in order."""
        return sorted(row_key[16:] for row_key, row in self._members.rows(key, key + _BEHIND) if decode_stays(row)[-1][1] is None)

    # ---- commits

    def clear(self) -> None:
        """Forget all of them, to be told of every call again, and of everybody's stays."""
        for family in (self._accounts, self._calls, self._members):
            family.pending = dict.fromkeys((*family.pending, *(key for key, _ in family.committed(b""))))
        self._cached, self._dirty, self.moved, self.unsure = {}, {}, {}, set()

    def flush(self) -> None:
        """Encode what changed into the pending commit."""
        for key, found in self._dirty.items():
            self._accounts.put(key, encode(found))
        self._dirty = {}
        if len(self._cached) > CACHED_MAX:
            self._cached = {}


def calls_of(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[Call]:
    """What rows of ``calls`` say."""
    for key, row in rows:
        yield Call(time_of(key[16:24]), *_decode_call(row))


def _call_key(key: bytes, time_us: int, message: str) -> bytes:
    return key + time_key(time_us) + message_hash(message)


def _said(traits: dict[str, list[Any]], said: dict[str, Any], time: int, message: str) -> set[str]:
    """Put what a call says into the registers; the names of those that it changes."""
    moved: set[str] = set()
    for name, value in said.items():
        known = traits.get(name)
        if name != LEAVES and (known is None or time > known[0] or (time == known[0] and message > known[1])):
            traits[name] = [time, message, value]
            moved.add(name)
    return moved
