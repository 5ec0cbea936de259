"""What people have decided, as the control partition has it, and what came of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from operators.epochs import CONTROL
from operators.generations import GENERATIONS
from operators.lookups.lookup_epochs import ENTRY as LOOKUPS
from operators.lookups.lookup_epochs import named_versions
from operators.view.space import View
from skep.answers.decisions import entries
from skep.project.definitions import kept_files
from skep.project.in_force import ChangedFile, changed_files, differences
from skep.project.orders import looked_up, orders_of
from skep.project.settings import Settings
from skep.project.spaces import open_view
from state.errors import NoState

ORDERS = "orders"
"""The partition of what activation was asked to do."""


class Subject(msgspec.Struct, frozen=True):
    """What an entry is about: its definitions and the files that changed, its two identifiers, a source or a file, versions by
    lookup, how many records, a destination, or how many deliveries."""

    definitions: str | msgspec.UnsetType | None = msgspec.UNSET
    files: list[ChangedFile] | msgspec.UnsetType = msgspec.UNSET
    a: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    b: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    source: str | msgspec.UnsetType | None = msgspec.UNSET
    file: str | msgspec.UnsetType | None = msgspec.UNSET
    records: int | msgspec.UnsetType = msgspec.UNSET
    versions: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    destination: str | msgspec.UnsetType = msgspec.UNSET
    deliveries: int | msgspec.UnsetType = msgspec.UNSET


class DecisionEntry(msgspec.Struct, frozen=True):
    """An entry of the control partition of a space, or (partition ``orders``) of what activation was asked to do.

    ``by``: None for entries of older versions. ``type``: ``definitions``, ``rollback``, ``link``, ``unlink``, ``replay``, ``edit``,
    ``drop``, ``resume``, ``reread``, ``skip`` or ``lookups``; of orders ``pause``,
    ``resume``, ``erase``, ``reconcile``, ``retry`` or ``drop``.
    ``answer``: the flow's own, None until one has read the entry.
    """

    space: str
    partition: str
    position: int
    id: str
    time: str | None
    by: str | None
    type: str | None
    what: Subject
    why: str | None
    answer: dict[str, Any] | None


def audit(settings: Settings, space: str) -> list[DecisionEntry]:
    """Every entry of a space, then every order, each oldest first."""
    view = None
    with suppress(NoState):
        view = open_view(settings, space)
    try:
        return [*_rows(settings, space, view), *_orders(settings, space)]
    finally:
        if view is not None:
            view.close()


def _rows(settings: Settings, space: str, view: View | None) -> list[DecisionEntry]:
    before: str | None = None
    rows = []
    for position, entry in entries(settings, space):
        kind, identity = entry.get("type"), str(entry.get("messageId", ""))
        rows.append(
            DecisionEntry(
                space, CONTROL, position, identity, entry.get("timestamp"), entry.get("by") or entry.get("who"),
                "rollback" if kind == "definitions" and entry.get("rollback") else kind, _subject(settings, entry, before),
                entry.get("why") or None, None if view is None else view.answer(identity),
            )
        )  # fmt: skip
        if kind == "definitions":
            before = entry.get("digest")
    return rows


def _orders(settings: Settings, space: str) -> list[DecisionEntry]:
    """What was decided of deliveries."""
    return [
        DecisionEntry(
            space, ORDERS, position, str(order.get("messageId", "")), order.get("timestamp"), order.get("by"), order.get("type"),
            _of_order(order), order.get("why") or None, looked_up(settings, space, str(order.get("messageId"))),
        )
        for position, order in enumerate(orders_of(settings, space), 1)
    ]  # fmt: skip


def _of_order(order: dict[str, Any]) -> Subject:
    destination = order.get("destination") or msgspec.UNSET
    if order.get("type") in {"retry", "drop"}:
        return Subject(deliveries=len(order.get("rows") or ()))
    if order.get("type") == "reconcile":
        return Subject(destination=destination, deliveries=len(order.get("missing") or ()) + len(order.get("too_many") or ()))
    return Subject(destination=destination)


def _subject(settings: Settings, entry: dict[str, Any], before: str | None) -> Subject:
    kind = entry.get("type")
    if kind == "definitions":
        files = differences(kept_files(settings, before), kept_files(settings, entry.get("digest"))) if before else []
        return Subject(definitions=entry.get("digest"), files=changed_files(files), versions=named_versions(entry) or msgspec.UNSET)
    if kind == LOOKUPS:
        return Subject(versions=named_versions(entry) or {})
    if kind in {"link", "unlink"}:
        return Subject(a=entry.get("a"), b=entry.get("b"))
    if kind == "resume":
        return Subject(source=entry.get("source"))
    if kind in GENERATIONS:
        return Subject(file=entry.get("file"))
    return Subject(records=len(entry.get("ids") or entry.get("entries") or []))
