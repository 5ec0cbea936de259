"""What people have decided, for people."""

from __future__ import annotations

from msgspec import UNSET

from skep.answers.audit import ORDERS, DecisionEntry, Subject
from skep.cli.console import table
from skep.cli.layout import moment, prose
from skep.project.entries import Submitted


def show(decisions: list[DecisionEntry]) -> None:
    """A line for each entry."""
    columns = (moment("time"), "space", "by", "did", prose("what"), prose("why"), prose("answer"))
    table(columns, [(one.time, one.space, one.by, one.type, _words(one.what), one.why, _answer(one)) for one in decisions])


def _words(what: Subject) -> str:
    if what.deliveries is not UNSET:
        of = "" if what.destination is UNSET else f" of {what.destination}"
        return f"{what.deliveries:,} deliveries{of}"
    if what.destination is not UNSET:
        return what.destination
    versions = [] if what.versions is UNSET else [f"{name}:{version}" for name, version in what.versions.items()]
    if what.files is not UNSET:
        return " ".join([str(what.definitions), *(one.file for one in what.files), *versions])
    if what.records is not UNSET:
        return f"{what.records:,} records"
    ends = [f"{end['namespace']}:{end['value']}" for end in (what.a, what.b) if end]
    return " ".join([*ends, *versions]) or str(what.source or what.file or "")


def _answer(one: DecisionEntry) -> str:
    if one.partition == ORDERS:
        return "activation has not read it yet" if one.answer is None else str(one.answer.get("error") or "done")
    if one.answer is None:
        return "no flow has read it yet"
    return Submitted(one.id, one.position, False, one.answer).words()
