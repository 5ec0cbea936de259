"""What definitions and the project's own views give to a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.model.definitions import Definitions
from skep.project.fields import fields
from state.snapshot.defined import Defined
from state.snapshot.own_views import OwnView
from state.snapshot.tables.segments import SegmentRow


def defined(definitions: Iterable[Definitions], views: Sequence[OwnView]) -> Defined:
    """Of definitions that are in force in different spaces the first that say something count."""
    known = list(definitions)
    told = {(one.kind, one.name, one.path): one for each in reversed(known) for one in fields(each)}
    segments = {one.name: one for each in reversed(known) for one in each.segments}
    return Defined(
        fields=list(told.values()),
        segments=[SegmentRow(one.name, one.version, one.title or None, one.owner or None, one.purpose) for one in segments.values()],
        purposes={one.name: one.default for each in reversed(known) for one in each.purposes},
        session_gap_us=known[0].identity.session_gap_us,
        views=views,
    )
