"""The dump: everything that converges, as canonical JSON lines, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from contracts.model.hashing import profile_id
from contracts.text.times import iso
from operators.view.events import EventReader
from operators.view.profiles import ProfileReader
from operators.view.rows import SpaceRows


def dump(space: SpaceRows, at_us: int) -> Iterator[bytes]:
    """The lines of a space at a time, in no order."""
    name, names, profiles = space.space, space.namespaces, ProfileReader(space)
    for person in space.people():
        pairs = {each.hash: [names[each.namespace], each.value] for each in person.identifiers}
        profile = profile_id(person.key)
        yield _line(kind="profile", **profiles.describe(person, at_us))
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
    for message, profile in EventReader(space).attributions():
        yield _line(kind="message", space=name, id=message, profile=profile)


def _line(**fields: Any) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
