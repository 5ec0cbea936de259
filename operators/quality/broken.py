"""An expectation that does not hold, as the state remembers it until it does."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.model.expectations import Expectation


class Broken(msgspec.Struct):
    """``value`` is what was measured at ``since_us``; ``resumed``: somebody has decided to read the source on all the same."""

    expectation: str
    """The expectation with its bounds: another one is another expectation."""
    name: str
    source: str
    event: str
    value: float
    expected: dict[str, float]
    severity: str
    since_us: int
    resumed: bool = False

    @classmethod
    def of(cls, one: Expectation, key: str, pair: tuple[str, str], value: float, clock_us: int) -> Broken:
        """An expectation that the events of ``(source, event)`` break."""
        bounds = {"gte": one.least, "lte": one.most}
        expected = {side: bound for side, bound in bounds.items() if bound is not None}
        return cls(key, one.name, *pair, value, expected, one.severity, clock_us)

    @property
    def stops(self) -> bool:
        """Whether the source is to be read no further."""
        return self.severity == "stop-source" and not self.resumed

    def told(self, value: float | None) -> dict[str, Any]:
        """What a change event says of it; ``value`` is the one measured now, None if nothing is expected any more."""
        return {
            "source": self.source,
            "event": self.event,
            "expectation": self.name,
            "value": None if value is None else round(value, 6),
            "expected": self.expected,
            "severity": self.severity,
        }


def key_of(one: Expectation) -> str:
    """What tells an expectation from every other: its name, source, bounds, window and severity."""
    parts = (one.name, one.source, one.least, one.most, one.window_us, one.severity)
    return "|".join("" if part is None else str(part) for part in parts)
