"""Why two identifiers are one person's, or are not, for people."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from skep.answers.identity.evidence import text_of
from skep.answers.identity.explanation import Explanation, PathLink
from skep.answers.identity.likeness import SideBySide, Waterfall
from skep.cli.console import out, table
from skep.cli.layout import ident, moment, number, prose

_PATH = (
    prose("from"), prose("to"), "kind", "state", moment("first seen"), moment("last seen"), number("events"), ident("first message"),
    number("rules"), prose("why"),
)  # fmt: skip
_COMPARISONS = ("comparison", "how", prose("one"), prose("other"), prose("level"), number("bits"), number("rarity"), number("sum"))


def show(told: Explanation) -> None:
    """The evidence on the way, what is alike, and what would join them."""
    a, b = text_of(told.a), text_of(told.b)
    if told.joined:
        out.print(f"{a} and {b} are one person: {told.profiles['a']}")
    else:
        out.print(f"{a} ({told.profiles['a']}) and {b} ({told.profiles['b']}) are two people:")
        out.print(told.reason)
    if told.path:
        out.print()
        table(_PATH, [_row(link) for link in told.path])
    falls = [(text_of(link.a), text_of(link.b), link.waterfall) for link in told.path if link.waterfall is not UNSET]
    for fall in falls:
        _show_waterfall(*fall)
    if told.compared is not None and not falls:
        _show_compared(told.compared)
    if told.unlinked is not None:
        why = f": {told.unlinked.why}" if told.unlinked.why else ""
        out.print(f"\nthe two were unlinked by hand at {told.unlinked.at}{why}")
    if not told.joined:
        out.print("\nwould join them:" if told.would_join else "\nnothing that one command or one rule changes would join them")
    for way in told.would_join:
        out.print(f"  {way}")
    out.print(f"\nby version {told.rules} of contracts/identity.yaml")


def _row(link: PathLink) -> tuple[Any, ...]:
    return (
        text_of(link.a), text_of(link.b), link.kind, link.state, link.first_seen, link.last_seen, link.events, link.first_message,
        link.rules, link.reason or link.why,
    )  # fmt: skip


def _show_waterfall(a: str, b: str, fall: Waterfall) -> None:
    """The prior, each comparison with its bits (of them what the value's rarity adds), and the probability they come to."""
    out.print(f"\n{a} and {b} by likeness: {fall.weight:+.2f} bits, probability {fall.probability:.4f}")
    prior = f"{fall.prior:+.2f}"
    rows = [("(a candidate)", "", "", "", f"probability {fall.prior_probability:.2g}", prior, "", prior)]
    for step in fall.steps:
        rarity = f"{step.frequency:+.2f}" if step.frequency else ""
        rows.append((step.trait, step.how, step.a or "–", step.b or "–", step.level, f"{step.bits:+.2f}", rarity, f"{step.sum:+.2f}"))
    table(_COMPARISONS, rows)


def _show_compared(compared: SideBySide) -> None:
    """What likeness says of two records that have no link."""
    out.print(f"\nby likeness, {compared.why}")
    if compared.blocks:
        out.print(f"blocks that they share: {'; '.join(compared.blocks)}")
    if compared.candidates:
        _show_waterfall(text_of(compared.a), text_of(compared.b), compared.waterfall)
