"""The dump: everything that converges, as canonical JSON lines, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from contracts.model.hashing import profile_id
from contracts.text.times import iso, iso_or_none
from operators.records import Person
from operators.view.accounts import AccountReader
from operators.view.events import EventReader
from operators.view.profiles import ProfileReader
from operators.view.rows import SpaceRows


def dump(space: SpaceRows, at_us: int) -> Iterator[bytes]:
    """The lines of a space at a time, in no order."""
    for person in space.people():
        yield from person_lines(space, person, at_us)
    for account in AccountReader(space).all():
        yield _line(kind="account", space=space.space, id=account.id, traits=account.traits(at_us))
        for member in account.members():
            stays = [[iso(since), iso_or_none(until)] for since, until in member.stays]
            yield _line(kind="member", space=space.space, account=account.id, profile=member.profile, stays=stays)
    for message, profile in EventReader(space).attributions():
        yield _line(kind="message", space=space.space, id=message, profile=profile)


def person_lines(space: SpaceRows, person: Person, at_us: int) -> Iterator[bytes]:
    """Those of one profile, but for its messages."""
    name, names = space.space, space.namespaces
    pairs = {each.hash: [names[each.namespace], each.value] for each in person.identifiers}
    profile = profile_id(person.key)
    yield _line(kind="profile", **ProfileReader(space).describe(person, at_us))
    for each in person.identifiers:
        first, last = iso(each.first), iso(each.last)
        namespace, value = pairs[each.hash]
        yield _line(kind="identifier", space=name, namespace=namespace, value=value, profile=profile, first_seen=first, last_seen=last)
    for link in person.links.values():
        first, last = iso(link.first), iso(link.last)
        weight = {} if link.weight is None else {"weight": round(link.weight, 6)}
        yield _line(
            kind="link", space=name, a=pairs[link.a], b=pairs[link.b], type=link.kind, first_seen=first, last_seen=last,
            message=link.message, count=link.count, **weight,
        )  # fmt: skip


def _line(**fields: Any) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
