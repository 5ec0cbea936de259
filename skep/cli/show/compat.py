"""`skep contracts compat`: whether one schema can replace another, and with which example it cannot."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET

from skep.cli.console import out
from skep.tools.compat import Reason, Report

_WAYS = {"backward": ("OLD", "NEW"), "forward": ("NEW", "OLD"), "full": ("one", "the other")}


def show(report: Report) -> None:
    """A line, or several for each reason."""
    first, second = _WAYS[report.mode]
    if report.compatible:
        out.print(f"compatible: everything that is valid under {first} is valid under {second}")
        return
    out.print(f"not compatible ({report.mode}):")
    for reason in report.reasons:
        _why(reason)


def _why(reason: Reason) -> None:
    first, second = _WAYS[reason.mode]
    if reason.keyword == "undecided":
        question = f"whether everything that is valid under {first} is valid under {second}"
        out.print(f"  undecided: {question} was neither proven nor refuted")
        return
    out.print(f"  {reason.path or '/'}  {reason.keyword}: {_short(reason.old)} → {_short(reason.new)}")
    if reason.example is not UNSET:
        out.print(f"      valid under {first}, not under {second}: {shortened(reason.example, 2000)}")


def _short(value: Any) -> str:
    return "–" if value is None else shortened(value, 100)


def shortened(value: Any, most: int) -> str:
    """A value as JSON, in so many characters."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[: most - 1] + "…"
