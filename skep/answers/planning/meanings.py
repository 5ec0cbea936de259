"""The segments that would mean something else by other definitions, and who asks about them."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.model.definitions import Definitions
from contracts.reading.segments import named_segments
from skep.answers.planning.answer import SegmentPlan
from skep.answers.segments.meaning import MeaningChange, SegmentMeanings, between


def meanings(before: Definitions, after: Definitions) -> Iterator[SegmentPlan]:
    """In the order of their names."""
    old, new = SegmentMeanings(before), SegmentMeanings(after)
    for name in sorted(old.segments.keys() | new.segments.keys()):
        was, now = old.of(name), new.of(name)
        changes = between(was, now)
        if not changes:
            continue
        if was and now:
            own = any(" " not in change.of for change in changes)
            yield SegmentPlan(name, "changed" if own else "rests on others", changes, _asking(after, name))
        else:
            # Of what comes or goes as a whole it is enough to say who is in it.
            whole = MeaningChange("who", was.get("who"), now.get("who"))
            yield SegmentPlan(name, "added" if now else "removed", [whole], _asking(after if now else before, name))


def _asking(definitions: Definitions, name: str) -> list[str]:
    """Segments come after those that they name."""
    found: list[str] = []
    for one in definitions.segments:
        if {name, *found} & {*named_segments(one.who)}:
            found.append(one.name)
    return found
