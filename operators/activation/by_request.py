"""Which destinations are told by requests, and so through the ledger."""

from __future__ import annotations

from contracts.model.destinations import BUILT_IN, Destination

BUILT_IN_BY_REQUEST = frozenset({"webhook", "http"})
"""The built-in kinds that are; every vendor is, too."""


def through_ledger(destination: Destination) -> bool:
    """Whether a destination is told through the ledger."""
    return destination.kind in BUILT_IN_BY_REQUEST or destination.kind not in BUILT_IN
