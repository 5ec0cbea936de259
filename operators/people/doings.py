"""What members do for their accounts: folded into each member's share and the account's cells as it comes; where who belongs, or whose an
event is, turns out otherwise, a member's share is made anew of the moments, and the account's cells are joined of all shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.envelope import account_of
from contracts.model.batches import Event
from operators.change_log import TIMER
from operators.moment_row import moment_contract
from operators.people.accounts import told_of
from operators.people.clock import BEFORE_ALL
from operators.people.heads import nobodys, owner_key
from operators.people.store import hung_on
from operators.people.work import Work
from operators.profile import changed_at, fold_features, join_cells, next_due
from operators.records import Identifier, Person
from operators.stays import Calls, Stay, is_unsure, stays


def take(work: Work, person: Person, event: Event) -> None:
    """What a person does counts for the accounts that it belongs to at that time, or for the one that the event names."""
    accounts = work.accounts
    if not accounts.program.asks(event.name) or person.key in accounts.again:
        return
    for account in _counting(event, {account: _stays(calls) for account, calls in person.accounts.items()}):
        key = accounts.key(account)
        found = accounts.touch(key)
        assert found is not None, "an account to which somebody belongs"
        touched: list[Any] = []
        due = fold_features(found, event, accounts.program, work.clock.now, touched)
        fold_features(accounts.shares.take(key + person.key), event, accounts.program, work.clock.now, touched)
        _arm(work, found, due)


def join(work: Work, person: Person, other: Person) -> None:
    """Somebody has joined a person: what he has done counts as the person's does; the event by which they are joined is not stored yet."""
    accounts = work.accounts
    if not accounts.program.counts or not (person.accounts or other.accounts or told_of(other)):
        return
    nobodys_too = any(each.device is not None and each.device.nobody for each in other.identifiers)
    if other.accounts or told_of(other) or nobodys_too or person.key in accounts.again:
        accounts.count_again(person)
        return
    told = {account: _stays(calls) for account, calls in person.accounts.items()}
    for event in _events(work, other, told, person) if any(told.values()) else ():
        take(work, person, event)


def regroup(work: Work, person: Person, account: str, before: Calls | None, last: int | None) -> None:
    """A person's calls that name an account are others than before; ``last``: the time of the person's last event until then."""
    if not work.accounts.program.counts:
        return
    now = person.accounts[account]
    differ = None if is_unsure(now) or (before is not None and is_unsure(before)) else _first(_stays(before), _stays(now))
    if is_unsure(now) or (differ is not None and last is not None and last >= differ):
        work.accounts.count_again(person)


def arm(work: Work, person: Person) -> None:
    """Have the accounts looked at in time to which a person belongs."""
    if work.accounts.program.counts:
        for account in person.accounts:
            found = work.accounts.of(account)
            if found is not None:
                _arm(work, found, next_due(found, work.accounts.program, work.clock.now))


def fire(work: Work, due: int, key: bytes, now: int) -> None:
    """The timer of an account is due: those who belong to it are asked about what has turned by itself."""
    accounts, program, log = work.accounts, work.accounts.program, work.log
    found = accounts.at(key)
    if found is None or found.armed != due:
        return
    found.armed = None
    accounts.dirty(found)
    if due == BEFORE_ALL:
        before, due = program.members(found, BEFORE_ALL), now
        following = next_due(found, program, now)
        log.cause = {"type": "clock"}
    else:
        before = program.members(found, due - 1)
        _, following = changed_at(found, program, due)
        log.cause = TIMER
    log.clock = due
    ask(work, key, program.turned(before ^ program.members(found, due)), due)
    _arm(work, found, following)


def ask(work: Work, key: bytes, turned: tuple[Any, ...], now: int) -> None:
    """Evaluate who belongs to an account, and has a segment that looks at something that has turned."""
    touched = work.program.asked(turned)
    for member in work.accounts.belonging(key) if touched else ():
        person = work.store.person(member)
        assert person is not None, "who belongs to an account is somebody"
        work.announcer.move(person, touched, now)


def settle(work: Work) -> None:
    """Make the shares anew of those of whom that has been asked for, and the cells of accounts from whose shares something went."""
    accounts = work.accounts
    again, accounts.again = accounts.again, {}
    for key in sorted(again):
        person = work.store.person(key)
        _count(work, key, person, again[key] | (set() if person is None else person.accounts.keys()))
    torn, accounts.torn = accounts.torn, set()
    for account in sorted(torn):
        found = accounts.touch(account)
        if found is None:
            continue
        found.cells = {}
        for share in accounts.shares.at(account):
            join_cells(found, share, accounts.program)
        _arm(work, found, next_due(found, accounts.program, work.clock.now))


def _count(work: Work, key: bytes, person: Person | None, names: set[str]) -> None:
    """What a person has done for these accounts."""
    accounts, now = work.accounts, work.clock.now
    told = {} if person is None else {name: _stays(calls) for name, calls in person.accounts.items() if not is_unsure(calls)}
    parts: dict[str, Person] = {}
    for event in _events(work, person, told) if person is not None and any(told.values()) else ():
        for account in _counting(event, told):
            part = parts.get(account)
            if part is None:
                part = parts[account] = Person(b"", [], {})
            fold_features(part, event, accounts.program, now, [])
    for name in sorted(names):
        at, part = accounts.key(name), parts.get(name)
        known = accounts.shares.of(at + key)
        if ({} if known is None else known.cells) == ({} if part is None else part.cells):
            continue
        accounts.shares.put(at + key, part)
        found = accounts.touch(at)
        if part is None or (known is not None and known.cells) or found is None:
            accounts.torn.add(at)
        elif at not in accounts.torn:
            join_cells(found, part, accounts.program)
            _arm(work, found, next_due(found, accounts.program, now))


def _events(work: Work, person: Person, told: dict[str, list[Stay]], into: Person | None = None) -> Iterator[Event]:
    """What a person has done since the first stay began; ``into``: whom he has joined, and who has his links."""
    store = work.store
    since = min(each[0][0] for each in told.values() if each)
    owners, anchors = set[bytes](), set[bytes]()
    if person.identifiers:
        named = any(work.rules.person[each.namespace] for each in person.identifiers)
        for each in person.identifiers:
            owners.add(each.hash)
            anchors.add(each.hash)
            if each.device is None:
                # What it owns may hang on any device on which it was seen.
                anchors.update(hung_on(store, each, (into or person).links.values()))
            elif not named:
                owners.add(nobodys(each.hash))
    else:
        device = device_of(work, person)
        if device is not None:
            owners.add(nobodys(device.hash))
            anchors.add(device.hash)
    matters, contracts = work.accounts.program.matters, work.meta.contracts
    for kept in work.moments.of(anchors):
        if kept.time_us >= since and owner_key(kept.anchor, kept.owner) in owners and matters(contracts[moment_contract(kept.row)]):
            yield work.reread(kept)


def device_of(work: Work, person: Person) -> Identifier | None:
    """The device of somebody who is nobody: whose group calls they are that it has made."""
    for account in person.accounts:
        for call in work.accounts.calls(work.accounts.key(account)):
            holder = work.store.holder(call.anchor)
            for each in holder.identifiers if holder is not None else ():
                if each.hash == call.anchor and work.store.shared_key(each) == person.key:
                    return each
    return None


def _counting(event: Event, told: dict[str, list[Stay]]) -> Iterator[str]:
    """For which of these accounts an event of somebody with these stays counts."""
    if not event.name:
        return
    context = event.body.get("context")
    named = account_of(context) if type(context) is dict else None
    for account, mine in told.items():
        if (named is None or named == account) and any(
            since <= event.time_us and (until is None or event.time_us < until) for since, until in mine
        ):
            yield account


def _stays(calls: Calls | None) -> list[Stay]:
    return [] if calls is None or is_unsure(calls) else stays(calls)


def _first(before: list[Stay], after: list[Stay]) -> int | None:
    """The first moment at which somebody belonged by one of the two, and not by the other."""
    one, other = ([moment for stay in each for moment in stay if moment is not None] for each in (before, after))
    for at in range(max(len(one), len(other))):
        moments = [each[at] for each in (one, other) if at < len(each)]
        if len(moments) == 1 or moments[0] != moments[1]:
            return min(moments)
    return None


def _arm(work: Work, found: Person, due: int | None) -> None:
    if due is not None:
        work.timers.arm(found, BEFORE_ALL if work.clock.now == BEFORE_ALL else due)
        work.accounts.dirty(found)
