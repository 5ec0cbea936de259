"""What destinations hold, and what became of deliveries, as people see it."""

from __future__ import annotations

from collections.abc import Sequence

from skep.answers.deliveries import DeliveryRow, DestinationStatus, ShownDelivery
from skep.cli.console import headline, out, table
from skep.cli.layout import number
from skep.runtime.delivery.reconciling import Reconciled
from skep.runtime.delivery.trying import Erasure, TriedDestination

_STOPPED = {
    "open": "takes nothing: its breaker is open, and one call tries again and again",
    "auth": "does not let us in: its file or its secret has to change, or `skep destinations resume`",
    "paused": "is paused: `skep destinations resume`",
}


def show_statuses(found: Sequence[DestinationStatus]) -> None:
    """A line for each audience: whether it is in sync, and if not, why."""
    if not found:
        out.print("No destination that is asked by requests is told of anything: a segment names in `activate` those that it goes to.")
        return
    table(
        ("destination", "audience", number("members"), number("there"), number("pending"), number("failing"), number("dead"), "it is"),
        [
            (
                one.destination, one.audience or "traits", "–" if one.members is None else one.members, one.acknowledged, one.pending,
                one.failing, one.dead, _state(one),
            )
            for one in found
        ],
    )  # fmt: skip
    for name, breaker in {one.destination: one.breaker for one in found if one.breaker in _STOPPED}.items():
        out.print(f"{name} {_STOPPED[breaker]}")
    if any(one.dead for one in found):
        out.print("Dead: `skep deliveries list --dead` says who and why, `skep deliveries retry --all` tries them again")


def _state(one: DestinationStatus) -> str:
    why = ", ".join(f"{count:,} not sent: {reason}" for reason, count in one.not_sent.items())
    if one.pending or one.failing:
        return f"behind since {one.oldest_pending}" + (f"; {why}" if why else "")
    if one.dead:
        return "in sync but for the dead" + (f"; {why}" if why else "")
    return f"in sync; {why}" if why else "in sync"


def show_deliveries(found: Sequence[DeliveryRow]) -> None:
    """A line for each."""
    if not found:
        out.print("Everything is acknowledged.")
        return
    table(
        ("id", "destination", "audience", "profile", "call", number("tries"), "class", "reason", "next"),
        [
            (one.id, one.destination, one.audience, one.profile, one.call, one.attempts, one.class_, one.reason, one.next_at)
            for one in found
        ],
    )


def show_delivery(found: ShownDelivery) -> None:
    """Who, what was asked, and what came back."""
    show_deliveries([found.delivery])
    out.print()
    if found.request is None:
        out.print("Nothing of it has been refused yet.")
        return
    headline(found.request["method"], f" {found.request['url']}")
    for name, value in found.request["headers"].items():
        out.print(f"{name}: {value}")
    out.print(str(found.request["body"]))
    out.print()
    headline("came back", "")
    out.print(found.reply or "nothing")


def show_tried(found: TriedDestination) -> None:
    """Each call with what came back."""
    for one in found.calls:
        headline(one.call, f": {one.request['method']} {one.request['url']}")
        out.print(one.request["body"] or "no body")
        out.print(f"{one.reply['status']}: {one.class_}{f', {one.reason}' if one.class_ != 'delivered' else ''}")
        out.print(one.reply["body"] or "no body")
        out.print()
    out.print("The sample person is away again." if found.removed else "The sample person may still be there: skep-test@example.invalid")


def show_reconciled(found: Reconciled) -> None:
    """The counts."""
    table(
        ("", number("people")),
        [
            ("missing there", found.missing),
            ("there, not in the segment", found.too_many),
            ("there, known to nobody here", found.unknown),
            ("put right", found.sent),
        ],
    )


def show_erasure(found: Erasure) -> None:
    """The receipts."""
    rows = [(one.destination, one.at, one.status, one.reference) for one in found.receipts]
    table(("destination", "at", number("status"), "reference"), rows)
