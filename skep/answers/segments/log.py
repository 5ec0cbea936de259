"""`skep segments log`: what was decided about a segment, by whom, when and why, and what it changed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from contracts import ContractErrors
from contracts.text.problems import choices
from skep.answers.decisions import entries
from skep.answers.segments.meaning import MeaningChange, SegmentMeanings, between
from skep.project.errors import CommandError
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import bundles, chosen, open_view
from state.errors import NoState, StateError


class SegmentEntry(msgspec.Struct, frozen=True):
    """An entry of the control partition that changed what a segment means: it was ``added``, ``changed`` or ``removed``.

    ``by``, ``why``: as the entry has them; ``rollback``: whether it put earlier definitions back. ``version``: of the segment behind it,
    None once it is removed. ``people``, ``events``: how many were evaluated and read for it, None while no flow has come to it.
    """

    space: str
    time: str | None
    by: str | None
    why: str | None
    definitions: str
    rollback: bool
    how: str
    version: int | None
    changes: list[MeaningChange]
    people: int | None
    events: int | None


def logged(settings: Settings, name: str, space: str | None) -> list[SegmentEntry]:
    """Of each space, oldest first. Raises CommandError for a segment that there has never been."""
    found: list[SegmentEntry] = []
    known: set[str] = set()
    for one in chosen(settings, space):
        found += _of_space(settings, name, one, known)
    if not found:
        with suppress(ContractErrors):
            known |= {one.name for one in load_definitions(settings).segments}
        if name in known:
            raise CommandError(f"expected a segment that has been in force, found {name}, which is not yet → `skep apply`")
        raise CommandError(
            f"expected a segment that has been in force, found {name} → {choices(name, known) or '`skep audit` says what was'}"
        )
    return found


def _of_space(settings: Settings, name: str, space: str, known: set[str]) -> list[SegmentEntry]:
    load, before, held = bundles(settings), dict[str, str](), False
    found: list[SegmentEntry] = []
    for entry in _definitions(settings, space):
        try:
            definitions = load(str(entry.get("digest")))
        except (StateError, ContractErrors):
            # Files that are lost, or that this version cannot read: what they meant, nobody can say.
            continue
        known |= {one.name for one in definitions.segments}
        after = SegmentMeanings(definitions).of(name)
        changes = between(before, after)
        if changes:
            how = "added" if not held else "changed" if after else "removed"
            # Of what comes as a whole it is enough to say who is in it.
            told = changes if how == "changed" else [MeaningChange("who", None, after["who"])] if how == "added" else []
            version = next((one.version for one in definitions.segments if one.name == name), None)
            answer: dict[str, Any] = entry["answer"] or {}
            by, why = entry.get("by") or entry.get("who"), entry.get("why") or None
            found.append(
                SegmentEntry(
                    space, entry.get("timestamp"), by, why, definitions.digest, bool(entry.get("rollback")), how, version, told,
                    answer.get("people"), answer.get("events"),
                )
            )  # fmt: skip
        before, held = after, bool(after)
    return found


def _definitions(settings: Settings, space: str) -> list[dict[str, Any]]:
    """The entries that put definitions in force, each with what the flow answered, None while none has."""
    view = None
    with suppress(NoState):
        view = open_view(settings, space)
    try:
        return [
            {**entry, "answer": None if view is None else view.answer(str(entry.get("messageId", "")))}
            for _, entry in entries(settings, space)
            if entry.get("type") == "definitions"
        ]
    finally:
        if view is not None:
            view.close()
