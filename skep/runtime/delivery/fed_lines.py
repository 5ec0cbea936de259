"""Which lines of the change log wait to be told, of whom, in their order: nobody's second is told before his first is taken."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from operators.activation.ledger_row import Place


class FedLines:
    """By destination and profile; of those that are dead none."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._waiting: dict[tuple[str, bytes], list[str]] = {}
        for place in sorted(places):
            self.add(place)

    def add(self, place: Place) -> None:
        """A line waits."""
        insort(self._waiting.setdefault((place.destination, place.profile), []), place.audience)

    def remove(self, place: Place) -> None:
        """A line no longer waits."""
        of = place.destination, place.profile
        lines = self._waiting[of]
        lines.remove(place.audience)
        if not lines:
            del self._waiting[of]

    def is_first(self, place: Place) -> bool:
        """Whether nothing of the profile has to be told before."""
        return self._waiting.get((place.destination, place.profile), [place.audience])[0] >= place.audience

    def count(self, destination: str) -> int:
        """How many a destination has not taken yet."""
        return sum(len(lines) for (name, _), lines in self._waiting.items() if name == destination)
