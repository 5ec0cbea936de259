"""Probabilistic links behind all others: which of them stand, by the namespaces and all that the pairs between two clusters say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from operators.components import Components
from operators.match.growth import Growth
from operators.match.links import Joining, Match, Record
from operators.refusal import Refusal
from operators.stitch.rules import Rules


class Decision(NamedTuple):
    """A link, and what refuses it (None: it stands)."""

    match: Match
    refusal: Refusal | None


def decide(records: Mapping[bytes, Record], matches: Collection[Match], rules: Rules, joining: Joining) -> list[Decision]:
    """Every link in order, and whether it stands: whether the clusters in which its ends are have become one."""
    links: dict[bytes, list[tuple[bytes, float]]] = defaultdict(list)
    for match in matches:
        links[match.a].append((match.b, match.weight))
        links[match.b].append((match.a, match.weight))
    growth = Growth(rules, joining)
    for key, record in records.items():
        growth.put(key, record, links[key])
    growth.grow()
    decided = [Decision(*each) for each in growth.decisions(records)]
    growth.clear()
    return decided


def members(records: Collection[bytes], decisions: Collection[Decision]) -> list[list[bytes]]:
    """The clusters that the accepted links make of the records, those of one included, in the order of the records."""
    return Components(records, ((each.match.a, each.match.b) for each in decisions if each.refusal is None)).parts()
