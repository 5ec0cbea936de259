"""`skep catalog`: what it has found as a table of each kind."""

from __future__ import annotations

from skep.answers.catalog.entries import Catalog, Entry
from skep.answers.catalog.words import plural, share
from skep.cli.console import headline, out, table
from skep.cli.layout import number, prose

COLUMNS = (
    prose("name"), prose("owner"), prose("what"), prose("versions"), number("volume"), number("quality"), "personal", "purposes",
    prose("used by"), "since",
)  # fmt: skip


def show(catalog: Catalog, entries: list[Entry]) -> None:
    """A table of each kind for people, and how to get what is missing."""
    for at, kind in enumerate(dict.fromkeys(entry.kind for entry in entries)):
        rows = [_cells(entry) for entry in entries if entry.kind == kind]
        headline(f"{chr(10) if at else ''}{kind}s", f": {len(rows):,}")
        table(COLUMNS, rows)
    if not entries:
        out.print("nothing has all of these words")
    if catalog.missing:
        out.print(f"\n{catalog.missing}")


def _cells(entry: Entry) -> tuple[object, ...]:
    return (
        entry.name,
        entry.owner or None,
        entry.title or entry.description,
        _versions(entry) or None,
        entry.volume,
        None if entry.quality is None else share(entry.quality),
        None if entry.personal == "none" else entry.personal,
        ", ".join(entry.purposes) or None,
        _users(entry.used_by) or None,
        (entry.since or entry.declared or "")[:10],
    )


def _versions(entry: Entry) -> str:
    """``1-0-0, 2-0-0 draft``: every version, and its status unless that is live."""
    return ", ".join(
        one.version + (f" {one.status}" if one.status != "live" else "") + (f" {one.deprecated}" if one.deprecated else "")
        for one in entry.versions
    )


def _users(used_by: dict[str, list[str]]) -> str:
    """``3 traits, segment vips``: a single one by its name."""
    return ", ".join(f"{kind} {names[0]}" if len(names) == 1 else plural(len(names), kind) for kind, names in used_by.items())
