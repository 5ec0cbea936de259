"""Which destinations are told by requests, and so through the ledger."""

from __future__ import annotations

from contracts.model.definitions import Definitions, Segment
from contracts.model.destinations import BUILT_IN, Destination

BUILT_IN_BY_REQUEST = frozenset({"webhook", "http"})
"""The built-in kinds that are; every vendor is, too."""


def through_ledger(destination: Destination) -> bool:
    """Whether a destination is told through the ledger."""
    return destination.kind in BUILT_IN_BY_REQUEST or destination.kind not in BUILT_IN


def told_segments(destination: Destination, definitions: Definitions) -> list[Segment]:
    """The segments that a destination is told of: they activate it, and it has an audience for them."""
    return [one for one in definitions.segments if destination.name in one.activate and destination.called(one.name) is not None]
