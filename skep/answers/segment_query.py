"""`skep segments sql` and `say`: a segment as a query over the snapshot, and as a sentence."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from contracts.language.forms import say
from contracts.model.definitions import Definitions
from contracts.text.problems import choices
from contracts.text.times import iso, parse_time
from operators.segments.sql.identifiers import HiddenValuesError
from operators.segments.sql.printed import segment_query
from skep.project.errors import CommandError
from skep.project.in_force import in_force
from skep.project.personal import hidden_identifiers
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import one_space, open_view
from state.errors import NoState


class SegmentQuery(msgspec.Struct, frozen=True):
    """The query of a segment in a space. ``at``: the moment in ISO 8601; None is the clock of the snapshot that it is asked of.

    ``in_force``: whether the segment is; else it is as contracts/ has it.
    """

    space: str
    segment: str
    at: str | None
    in_force: bool
    sql: str


def query_of(settings: Settings, segment: str, at: str | None, space: str | None) -> SegmentQuery:
    """Raises CommandError for a segment that there is not, a moment that has gone by, or values that a snapshot has not."""
    where = one_space(settings, space)
    at_us = None if at is None else _moment(settings, where, at)
    definitions, forced = known_segment(settings, where, segment)
    shown = None if at_us is None else iso(at_us)
    try:
        query = segment_query(definitions, segment, where, at_us, hidden_identifiers(settings, definitions, where))
    except HiddenValuesError as error:
        raise CommandError(unasked(segment, error)) from None
    return SegmentQuery(where, segment, shown, forced, query)


def unasked(segment: str, error: HiddenValuesError) -> str:
    """Why a segment cannot be asked of a snapshot, and what to do."""
    hint = "with `snapshot: {personal: clear}` in skep.yaml it has them"
    return f"{segment}: {error} → {hint}; `skep segments explain` says it of one person"


class SegmentSentence(msgspec.Struct, frozen=True):
    """A segment as a plain sentence; ``in_force`` as in `SegmentQuery`."""

    space: str
    segment: str
    version: int
    in_force: bool
    says: str


def sentence_of(settings: Settings, segment: str, space: str | None) -> SegmentSentence:
    """Raises CommandError for a segment that there is not."""
    where = one_space(settings, space)
    definitions, forced = known_segment(settings, where, segment)
    found = next(one for one in definitions.segments if one.name == segment)
    return SegmentSentence(where, segment, found.version, forced, say(found, definitions.features))


def known_segment(settings: Settings, space: str, name: str) -> tuple[Definitions, bool]:
    """The definitions that have a segment: those in force in the space, else (False) the files. Raises CommandError."""
    forced = in_force(settings, space)
    if any(one.name == name for one in forced.segments):
        return forced, True
    files = load_definitions(settings)
    if any(one.name == name for one in files.segments):
        return files, False
    names = {one.name for one in (*forced.segments, *files.segments)}
    raise CommandError(f"expected the name of a segment, found {name} → {choices(name, names) or '`skep catalog` lists them'}")


def _moment(settings: Settings, space: str, at: str) -> int:
    found = parse_time(at)
    if found is None:
        raise CommandError(f"--at {at}: expected a time like 2026-01-31 or 2026-01-31T10:00:00.000Z")
    with suppress(NoState):
        view = open_view(settings, space)
        try:
            return view.at(found)
        finally:
            view.close()
    return found
