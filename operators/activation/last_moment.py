"""Why somebody may not be told of: what can be said of it by the person alone, in the order of the reasons."""

from __future__ import annotations

from contracts.model.destinations import LEAVING, Destination
from operators.activation.told import Told
from operators.consent import granted


def purpose_of(destination: Destination, told: Told) -> str | None:
    """The purpose that must be granted: the destination's, else that of the segment; None if there is none."""
    if destination.purpose is not None:
        return destination.purpose or None
    return None if told.change is None else told.change.get("purpose")


def why_not(destination: Destination, told: Told) -> str | None:
    """``consent`` or ``confidence``; None if neither forbids it. Who leaves is always told of."""
    if told.call in LEAVING:
        return None
    purpose = purpose_of(destination, told)
    if purpose is not None and granted((told.person.get("consents") or {}).get(purpose)) is not True:
        return "consent"
    sure = None if told.change is None else told.change.get("confidence")
    sure = told.person.get("confidence", sure)
    if destination.confidence is not None and isinstance(sure, int | float) and sure < destination.confidence:
        return "confidence"
    return None
