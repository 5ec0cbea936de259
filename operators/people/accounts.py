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
from operators.people.clock import Clock
from operators.people.shares import MemberShares
from operators.records import Identifier, Person, decode_person, encode
from operators.segments.on_accounts import OnAccounts
from operators.stays import LEAVES, Stay
from state.family import Family
from state.keys import NOBODY, time_key, time_of
from state.shard import Shard

CACHED_MAX: Final = 10_000
"""Accounts that are kept decoded between two commits; all are forgotten when there are more."""
TOLD: Final = "\0"
"""How what is told of an account begins among all that is told of somebody; there while the person has, or had, a stay."""
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
    """Over the families ``accounts``, ``calls`` (by account, time and message), ``members`` and ``shares`` (by account and profile).

    ``program`` is there once there are definitions.
    """

    program: OnAccounts

    def __init__(self, shard: Shard, hasher: Hasher, clock: Clock) -> None:
        self._clock = clock
        self.shares = MemberShares(shard.shares)
        self._accounts: Family = shard.accounts
        self._calls: Family = shard.calls
        self._members: Family = shard.members
        self._hasher = hasher
        self._cached: dict[bytes, Person] = {}
        self._dirty: dict[bytes, Person] = {}
        self.some = next(self._accounts.committed(b""), None) is not None
        """Whether there may be any."""
        self.waiting = False
        """Whether something has to be done at the end of the event: of what follows."""
        self.unsure: set[bytes] = set()
        """Keys of people whose stays have to be gone through again."""
        self.again: dict[bytes, set[str]] = {}
        """Keys of people whose shares have to be made anew, each with the accounts that they had to do with."""
        self.torn: set[bytes] = set()
        """Accounts from whose shares something went."""
        self.before: dict[bytes, list[int]] = {}
        """By account that has changed, as bits: in which segments of accounts it was before, and of which it was not so meanwhile."""

    def key(self, account: str) -> bytes:
        """The 16 bytes of an account."""
        return self._hasher.account(account)

    def of(self, account: str) -> Person | None:
        """An account by its id."""
        return self.at(self.key(account))

    def at(self, key: bytes) -> Person | None:
        """An account by its key."""
        found = self._cached.get(key)
        if found is None:
            row = self._accounts.get(key)
            if row is None:
                return None
            found = self._cached[key] = decode_person(row)
        return found

    def dirty(self, found: Person) -> None:
        """Something of an account has changed."""
        self._dirty[found.key] = found

    def touch(self, key: bytes) -> Person | None:
        """An account of which something is going to change."""
        found = self.at(key)
        if self.program.segments:
            held, known = 0 if found is None else self.program.members(found, self._clock.now), self.before.get(key)
            if known is None:
                self.before[key] = [held, 0]
                self.waiting = True
            else:
                # Somebody may have been evaluated by what was meanwhile.
                known[1] |= known[0] ^ held
        if found is not None:
            self.dirty(found)
        return found

    def count_again(self, person: Person) -> None:
        """What a person has done for accounts has to be gone through again: whose events are whose, or who belonged, is not as it was."""
        if self.program.counts:
            names = person.accounts.keys() | set(told_of(person))
            if names:
                self.again.setdefault(person.key, set()).update(names)
                self.waiting = True

    # ---- what is said of them

    def say(self, event: Event, anchor: bytes) -> None:
        """A group call that is new, and hangs on an identifier of this hash."""
        assert event.group is not None, "it names an account"
        account, traits = event.group
        self.take(account, Call(event.time_us, event.message_id, anchor, traits))

    def take(self, account: str, call: Call) -> None:
        """The same of a call as it is kept."""
        key = self.key(account)
        found = self.touch(key)
        if found is None:
            found = self._cached[key] = Person(key, [Identifier(0, account, key, 0, 0)], {})
            self.dirty(found)
        self.some = True
        self._calls.put(_call_key(key, call.time_us, call.message), encode((call.message, call.anchor, call.traits)))
        _said(found.traits, call.traits, call.time_us, call.message)

    def unsay(self, event: Event) -> None:
        """A group call that no longer counts. An account that no call names any more is none."""
        assert event.group is not None, "it names an account"
        account, traits = event.group
        key, mine = self.key(account), [event.time_us, event.message_id]
        self._calls.delete(_call_key(key, event.time_us, event.message_id))
        found = self.touch(key)
        assert found is not None, "an account of which something was said"
        before, left = found.traits, False
        if any(name in before and before[name][:2] == mine for name in traits):
            found.traits = {}
            for call in self.calls(key):
                left = True
                _said(found.traits, call.traits, call.time_us, call.message)
        else:
            left = next(self.calls(key), None) is not None
        if not left:
            self._cached.pop(key, None)
            self._dirty.pop(key, None)
            self._accounts.delete(key)
            # Should a call name it again, its cells are those of its members' shares.
            self.torn.add(key)
            self.waiting = True

    def calls(self, key: bytes) -> Iterator[Call]:
        """Every call that names an account, in no order."""
        return calls_of(self._calls.rows(key, key + _BEHIND))

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
        self.shares.clear()
        self._cached, self._dirty, self.before, self.again = {}, {}, {}, {}
        self.unsure, self.torn = set(), set()

    def flush(self) -> None:
        """Encode what changed into the pending commit."""
        for key, found in self._dirty.items():
            self._accounts.put(key, encode(found))
        self._dirty = {}
        self.shares.flush()
        if len(self._cached) > CACHED_MAX:
            self._cached = {}


def calls_of(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[Call]:
    """What rows of ``calls`` say."""
    for key, row in rows:
        yield Call(time_of(key[16:24]), *_decode_call(row))


def anchors_of(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Of rows of ``calls`` the key, and the hash of the identifier that the call hangs on, if it does on any."""
    for key, row in rows:
        anchor = _decode_call(row)[1]
        if anchor != NOBODY:
            yield key, anchor


def _call_key(key: bytes, time_us: int, message: str) -> bytes:
    return key + time_key(time_us) + message_hash(message)


def told_of(person: Person) -> list[str]:
    """The accounts of which somebody has been told, whether the person belongs to them or did, in no order."""
    return [name[1:] for name in person.told if name[:1] == TOLD]


def _said(traits: dict[str, list[Any]], said: dict[str, Any], time: int, message: str) -> None:
    """Put what a call says into the registers."""
    for name, value in said.items():
        known = traits.get(name)
        if name != LEAVES and (known is None or time > known[0] or (time == known[0] and message > known[1])):
            traits[name] = [time, message, value]
