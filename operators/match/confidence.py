"""How sure we are that each identifier of a profile is the person's after whom it is named."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping

from operators.match.scoring import probability
from operators.records import Link, Person


def confidences(person: Person) -> Mapping[bytes, float]:
    """By identifier: the weakest link on the strongest way of accepted links to the profile's lead; the smallest is the profile's.

    A probabilistic link is as strong as its match probability, any other 1.0.
    """
    if person.confidence == 1.0:
        return {each.hash: 1.0 for each in person.identifiers}
    near: dict[bytes, list[tuple[float, bytes]]] = defaultdict(list)
    for link in person.links.values():
        strength = certainty(link)
        near[link.a].append((strength, link.b))
        near[link.b].append((strength, link.a))
    found: dict[bytes, float] = {}
    edge = [(-1.0, person.key)]
    while edge:
        weakest, here = heapq.heappop(edge)
        if here not in found:
            found[here] = -weakest
            for strength, other in near[here]:
                if other not in found:
                    heapq.heappush(edge, (-min(-weakest, strength), other))
    return found


def certainty(link: Link) -> float:
    """How sure an accepted link makes that its ends are one person's, from 0 to 1."""
    return 1.0 if link.weight is None else probability(link.weight)
