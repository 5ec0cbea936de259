"""What an engine keeps beside its people, held against a count: links that do not stand, who was on a device, blocks, numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from operators.people.collected import Collected
from operators.people.rebuild import Group, Rebuilt
from operators.people.space import Space
from operators.records import Link, Person
from tests.engine import Engine


def check(engine: Engine, *context: object) -> None:
    """What identifiers and rows say of refused links is what everything computed anew says, or more careful; the rest is exact."""
    people = {person.key: person for person in engine.view.people()}
    _refused(engine, people, context)
    _numbers(engine.space, people, context)
    _blocks(engine, people, context)


def _told(link: Link) -> tuple[Any, ...]:
    """What a link says of its evidence."""
    return link.a, link.b, link.manual, link.first, link.last, link.void, link.message, link.count


def _anew(space: Space, identifiers: set[bytes]) -> Rebuilt:
    """People computed anew, of whom nothing is kept: they are not folded, so that no moment changes its owner."""
    collected = Collected(space.work, made={}, likeness=None)
    groups = [Group([key]) for key in collected.read(sorted(identifiers))]
    made = Rebuilt(space.work, collected)
    home = made._people(groups)
    made._refusals()
    made._devices(home)
    made._denials(home)
    return made


def _refused(engine: Engine, people: Mapping[bytes, Person], context: object) -> None:
    made = _anew(engine.space, {each.hash for person in people.values() for each in person.identifiers})
    fresh = {each.hash: each for person in made.people.values() for each in person.identifiers}
    assert sorted(map(_told, engine.view.identity.refused())) == sorted(map(_told, made.refused)), context
    for each in (each for person in people.values() for each in person.identifiers):
        other = fresh[each.hash]
        assert (each.refused, each.rivals, each.anchor) == (other.refused, other.rivals, other.anchor), (context, each, other)
        assert each.refused >= each.loose >= other.loose, (context, each, other)
        if each.device is not None and other.device is not None:
            everybody = engine.view.identity.identified(each)
            assert len(everybody) == each.device.identified == other.device.identified, (context, each, other)


def _numbers(space: Space, people: Mapping[bytes, Person], context: object) -> None:
    """How many people there are, how many are in a segment, and who holds which identifier."""
    assert space.meta.people == len(people), context
    sizes: Counter[str] = Counter()
    for person in people.values():
        held = int.from_bytes(person.bits, "little")
        sizes.update(segment.name for at, segment in enumerate(space.work.program.segments) if held >> at & 1)
    assert dict(sizes) == {name: size for name, size in space.meta.sizes.items() if size}, context
    holders = {each.hash: person.key for person in people.values() for each in person.identifiers}
    assert dict(space.shard.alias.committed(b"")) == holders, context


def _blocks(engine: Engine, people: Mapping[bytes, Person], context: object) -> None:
    """The rows of the blocking index are those of the records, of which all are records of somebody's lead."""
    rows: dict[bytes, bytes] = {}
    sizes: Counter[bytes] = Counter()
    for person in people.values():
        assert person.records.keys() <= {each.hash for each in person.identifiers}, context
        for key, record in person.records.items():
            rows |= {block + key: b"" for block in record.blocks}
            sizes.update(record.blocks)
    rows |= {block: size.to_bytes(4, "big") for block, size in sizes.items()}
    assert dict(engine.shard.blocks.committed(b"")) == rows, context
    settings = engine.space.work.definitions.identity.probabilistic
    large = 0 if settings is None else sum(size > settings.block_limit for size in sizes.values())
    assert engine.space.meta.large_blocks == large, context
