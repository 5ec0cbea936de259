"""`skep destinations`: requests as they would be sent, what a reply is, what a file says."""

from __future__ import annotations

import json

from skep.answers.destinations import DestinationRow, RenderedRows, RequestRow, VerdictRow
from skep.cli.console import headline, out

FOLLOWS = {
    "delivered": "all of it has arrived",
    "partial": "what is not listed has arrived",
    "throttle": "the destination waits; that is no attempt",
    "retry": "it is tried again later",
    "auth": "the destination stops until its file or its secret changes",
    "split": "it is sent again in halves",
    "refused": "it is put aside with this reason",
}


def show_rendered(found: RenderedRows) -> None:
    """The requests one after the other, then of whom nothing can be told."""
    for request in found.requests:
        _request(request)
    for one in found.refused:
        out.print(f"line {one.line}: nobody is told: {one.reason}", style="yellow")
    if not found.requests and not found.refused:
        out.print("no line is one that this destination is told of")


def _request(request: RequestRow) -> None:
    lines = ", ".join(map(str, request.lines))
    headline(f"{request.method} {request.url}", f"  (line{'s' if len(request.lines) > 1 else ''} {lines})" if lines else "")
    for name, value in request.headers.items():
        out.print(f"{name}: {value}")
    if request.body is not None:
        out.print(request.body if isinstance(request.body, str) else json.dumps(request.body, indent=2, ensure_ascii=False))
    out.print("")


def show_verdict(found: VerdictRow) -> None:
    """What it is, what follows, and of which items."""
    headline(found.says, f": {FOLLOWS[found.says]}")
    out.print(found.reason)
    if found.failed:
        again = ", ".join(map(str, found.retry)) or "none"
        out.print(f"failed: items {', '.join(map(str, found.failed))}; tried again: {again}")
    if found.wait is not None:
        out.print(f"it asks to wait {found.wait:g} s")


def show_checked(found: DestinationRow) -> None:
    """A line on what it is told of, and where that comes from."""
    audiences = ", ".join(f"{segment} as {name}" for segment, name in found.audiences.items())
    parts = (("audiences", audiences), ("events", ", ".join(found.events)), ("calls", ", ".join(found.calls)))
    said = "; ".join(f"{word}: {text}" for word, text in parts if text)
    out.print(f"{found.destination} is good: {found.kind}" + (f"; {said}" if said else ""))
    if found.purpose == "":
        out.print("nobody's consent is asked for: `purpose: none`", style="yellow")
    for source in found.sources:
        out.print(f"made from {source.get('title')}, read {source.get('read')}")
    for one in found.unverified:
        out.print(f"not verified: {one}", style="yellow")
