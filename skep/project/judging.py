"""What the settings say of judging records, for whoever judges as the project's flow does."""

from __future__ import annotations

from operators.judge import Tolerance
from skep.project.settings import Settings


def tolerance(settings: Settings) -> Tolerance:
    return {
        "unknown_ok": settings.unknown_events == "accept",
        "future_skew_us": settings.future_skew_us,
        "max_event_bytes": settings.max_event_bytes,
        "formats": settings.formats == "assert",
    }
