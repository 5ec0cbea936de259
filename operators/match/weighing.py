"""Whether two clusters are one person's: by what they hold, and by what all pairs between them say."""

from __future__ import annotations

from operators.match.joint import Evidence
from operators.match.links import Joining
from operators.match.scoring import probability, weight
from operators.match.stages import Stage
from operators.refusal import Refusal
from operators.stitch.rules import Held, Rules

PAIRS_MAX = 10_000
"""Pairs of records that are looked at for the weight of two clusters; of larger clusters, an even sample of their members."""


class Weighing:
    """Weighs clusters, and remembers what two of them said as long as there are both."""

    def __init__(self, rules: Rules, joining: Joining) -> None:
        self._rules = rules
        self._by = joining
        self._least = weight(joining.accept)

    def refusal(self, a: Stage, b: Stage) -> Refusal:
        """What refuses two clusters, as they are."""
        found = self._rules.together(a.held, b.held)
        refusal = found if isinstance(found, Refusal) else self._doubt(a, b)
        assert refusal is not None, "links are gone through until none joins clusters any more"
        return refusal

    def together(self, a: Stage, b: Stage) -> Held | Refusal:
        """What two clusters hold as one, or what refuses that."""
        if not self._by.support or (a.size == 1 and b.size == 1):
            return self._rules.together(a.held, b.held)
        older, newer = (a, b) if a.number < b.number else (b, a)
        if newer.refused is None:
            newer.refused = set()
        elif older.number in newer.refused:
            return _REFUSED
        found = self._rules.together(a.held, b.held)
        if isinstance(found, Refusal) or self._doubt(a, b) is not None:
            newer.refused.add(older.number)
            return _REFUSED
        return found

    def _doubt(self, a: Stage, b: Stage) -> Refusal | None:
        """What their pairs say against two clusters being one."""
        few = a.size * b.size <= PAIRS_MAX
        evidence = self._said(a, b) if few else self._by.says(_sample(a.records()), _sample(b.records()))
        bits, mean = self._by.joint.weight(evidence, min(a.size, b.size))
        if bits < self._least:
            return Refusal("support", limit=self._by.accept, figure=probability(bits), by="together")
        return None if mean >= self._by.support else Refusal("support", limit=self._by.support, figure=mean)

    def _said(self, a: Stage, b: Stage) -> Evidence:
        """What all pairs between two clusters say."""
        found = _known(a, b)
        if found is None:
            older, newer = (a, b) if a.number < b.number else (b, a)
            if newer.said is None:
                newer.said = {}
            found = newer.said[older.number] = self._add_up(a, b)
        return found

    def _add_up(self, a: Stage, b: Stage) -> Evidence:
        """The same, out of what is known of the one when the other was smaller."""
        for grown, other in ((a, b), (b, a)):
            if grown.before is not None:
                known = _known(grown.before, other)
                if known is not None:
                    return known + self._by.says(grown.more, other.records())
            part = grown.larger
            while part is not None:
                known = _known(part, other)
                if known is not None:
                    return known + self._by.says(grown.leads[part.size : grown.size], other.records())
                part = part.larger
        return self._by.says(a.records(), b.records())


_REFUSED = Refusal("support")


def _known(a: Stage, b: Stage) -> Evidence | None:
    """What two clusters said, if it is known."""
    older, newer = (a, b) if a.number < b.number else (b, a)
    return None if newer.said is None else newer.said.get(older.number)


def _sample(records: list[bytes]) -> list[bytes]:
    most = int(PAIRS_MAX**0.5)
    return [records[at * len(records) // most] for at in range(most)] if len(records) > most else records
