"""``budget.yaml``: how many segments, features and members each tier and each owner may have, and what they may cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from contracts.model.budget import STATIC, Budget, Of, SegmentLimits
from contracts.model.definitions import Did, InOrder, Segment, TraitIs, leaves
from contracts.model.traits import Trait
from contracts.reading.derived import roots
from contracts.text.keys import Fields, Integer, Key, Own, text_schema
from contracts.text.problems import Problem, closest, listed
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

FILE = "budget.yaml"
TIERS = ("macro", "micro", "singleton")
NAMED_MAX = 5
"""Segments that are named where there are too many."""
LIMITS = Fields((
    Key("segments", Integer(), "live segments"),
    Key("features", Integer(), "what their conditions have measured, each once"),
    Key("state", Integer(), "bytes of a profile for these"),
    Key("members", Integer(), "members of all of them together"),
    Key("evaluations", Integer(), "events a second at which one of them may change"),
))  # fmt: skip
BUDGET = Fields((
    Key("tiers", Own(lambda names: {"type": "object", "properties": {tier: LIMITS.schema(names) for tier in TIERS},
                                    "additionalProperties": False}), "what the segments of a tier may cost"),
    Key("owners", Own(lambda names: {"type": "object", "additionalProperties": LIMITS.schema(names), "propertyNames": text_schema()}),
        "what the segments of an owner may cost"),
))  # fmt: skip


def read_budget(reader: Reader, at: Tree) -> Budget:
    """All limits, those of tiers first."""
    said = BUDGET.read(reader, at)
    found = [*_limits(reader, "tier", said["tiers"]), *_limits(reader, "owner", said["owners"])]
    return Budget(tuple(found))


def _limits(reader: Reader, of: Of, at: Tree | None) -> Iterator[SegmentLimits]:
    if at is None:
        return
    example = "a mapping such as {micro: {segments: 100}}" if of == "tier" else "a mapping such as {crm: {segments: 20}}"
    for name, part in reader.mapping(at, example).items():
        if of == "tier" and name not in TIERS:
            reader.refuse(part, f"one of the tiers {listed(TIERS)}", name, closest(name, TIERS))
            continue
        if not isinstance(part.value, dict):
            reader.refuse(part, "limits such as {segments: 20, members: 100000}")
            continue
        parts = LIMITS.parts(reader, part)
        most = {key: value for key, value in LIMITS.values(reader, part, parts).items() if value is not None}
        yield SegmentLimits(of, name, most, {key: one.line for key, one in parts.items()})


def features_of(segment: Segment, traits: Mapping[str, Trait]) -> frozenset[str]:
    """The keys of the features that a segment's own conditions ask for, those of computed traits too; not those of segments that it
    names, and not those of accounts."""
    found: set[str] = set()
    for leaf in leaves(segment.who):
        if isinstance(leaf, Did | InOrder):
            found.add(leaf.feature)
        elif isinstance(leaf, TraitIs):
            if leaf.feature is not None:
                found.add(leaf.feature)
            found |= _behind(str(parse_path(leaf.path)[0]), traits, set())
    return frozenset(found)


def _behind(name: str, traits: Mapping[str, Trait], seen: set[str]) -> set[str]:
    trait = traits.get(name)
    if trait is None or name in seen:
        return set()
    seen.add(name)
    if trait.feature is not None:
        return {trait.feature}
    return set().union(*(_behind(root, traits, seen) for root in roots(trait.expression))) if trait.expression is not None else set()


def belonging(limits: SegmentLimits, segments: Iterable[Segment]) -> list[Segment]:
    """The segments that limits are about."""
    return [one for one in segments if (one.tier if limits.of == "tier" else one.owner) == limits.name]


def check_budget(budget: Budget, segments: Iterable[Segment], traits: Mapping[str, Trait], problems: list[Problem]) -> None:
    """A problem for each limit that the definitions alone are over."""
    segments = list(segments)
    for limits, measure, most in budget.each():
        if measure not in STATIC:
            continue
        mine = belonging(limits, segments)
        features = {feature for one in mine for feature in features_of(one, traits)}
        used = len(mine) if measure == "segments" else len(features)
        if used > most:
            names = [one.name for one in mine[:NAMED_MAX]]
            more = f" and {len(mine) - NAMED_MAX:,} more" if len(mine) > NAMED_MAX else ""
            of = f"{limits.of} {limits.name}"
            found = f"{used:,} {measure} of {listed(names, 'and')}{more}"
            hint = "take one out, give one to another, or raise the limit"
            key = f"{limits.of}s.{limits.name}.{measure}"
            problems.append(Problem(FILE, limits.lines[measure], key, f"at most {most:,} {measure} of {of}", found, hint))
