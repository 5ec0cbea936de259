"""A membership for people: in or not, since and until when, and the conditions as a tree."""

from __future__ import annotations

from collections.abc import Iterator

from operators.segments.explain import Reason
from skep.answers.membership import Membership
from skep.cli.console import WIDE, cell, headline, mark, out, screen_width, styled
from skep.cli.layout import wrapped
from skep.cli.show.profile import trait_text

EVENTS = 3
"""Events behind a condition that are shown, the newest; --json has more."""


def show(one: Membership) -> None:
    """The answer for people: in or not, since and until when, and the tree of conditions."""
    headline(one.profile, f"  space {one.space}  clock {cell(one.clock)}")
    side = "in" if one.member else "not in"
    since = f" since {cell(one.since)}" if one.since else ""
    out.print(f"{side} {one.segment} (version {one.version}){since}{_until(one)}")
    if one.title:
        out.print(styled(one.title, "dim"))
    for line in wrapped(one.says, screen_width() or WIDE):
        out.print(styled(line, "dim"))
    out.print()
    for reason in one.why.of:
        for line in reason_lines(reason, 0):
            out.print(line)
    if one.turns:
        out.print("\nany of these would end it:" if one.member else "\nany of these would begin it:")
    for turn in one.turns:
        before = f", before {cell(turn.before)}" if turn.before else ""
        after = f", from {cell(turn.after)} on if nothing else happens until then" if turn.after else ""
        for number, line in enumerate(wrapped(f"{turn.says}{after}{before}", (screen_width() or WIDE) - 4)):
            out.print(f"{'    ' if number else '  · '}{line}")


def _until(one: Membership) -> str:
    if one.until is None:
        return ""
    return f"; if nothing else happens, {'until' if one.member else 'a member from'} {cell(one.until)}{'' if one.member else ' on'}"


def reason_lines(reason: Reason, depth: int) -> Iterator[str]:
    """A condition and those in it as a tree."""
    until = f", until {cell(reason.until)}" if reason.until else ""
    indent = "  " * depth
    said = wrapped(f"{_says(reason)}{_value(reason)}{until}", (screen_width() or WIDE) - len(indent) - 2)
    for number, line in enumerate(said):
        yield f"{indent}{' ' if number else mark(reason.holds)} {line}"
    for event in reason.events[-EVENTS:]:
        yield f"{indent}  {cell(event['time'])} {event['event']} {event['message_id']}"
    earlier = reason.earlier + max(0, len(reason.events) - EVENTS)
    if earlier:
        yield f"{indent}  and {earlier:,} earlier"
    for part in reason.of:
        yield from reason_lines(part, depth + 1)


def _says(reason: Reason) -> str:
    return (
        reason.says
        if reason.form in {"all", "any", "at_least", "not", "confidence", "step", "awaited"}
        else f"{reason.form} {reason.says}".rstrip()
    )


def _value(reason: Reason) -> str:
    if reason.form == "consent":
        said = "granted" if reason.holds else "denied"
        return f": {said}" if reason.decided else f": {said} by default, nothing was decided"
    if reason.form in {"all", "any", "at_least", "not", "segment"}:
        return ""
    if reason.form in {"sequence", "awaited"} or (reason.form == "step" and reason.value is None):
        return ": awaited" if reason.form == "awaited" else ""
    if reason.form == "step":
        return f": {'' if reason.holds else 'broken by '}{reason.value['message_id']}, {cell(reason.value['time'])}"
    if reason.value is None:
        return ": there is none"
    return f": {trait_text(reason.value)}{' or more' if reason.capped else ''}"
