"""What `skep contracts impact` prints."""

from __future__ import annotations

from skep.answers.impact import Impact
from skep.cli.console import out, table
from skep.cli.layout import number, prose


def show(found: Impact) -> None:
    """The changes, what they touch, and what would be wrong."""
    if not found.changes:
        out.print(f"{found.event}: no property changes")
        return
    rows = [(one.path, one.what, one.detail, f"{one.file}:{one.line}") for one in found.changes]
    table((prose("property"), "change", prose("from → to"), prose("where")), rows)
    out.print()
    if found.touched:
        touched = [
            (one.kind, one.name, ", ".join(one.through) or "which events are accepted", f"contracts/{one.file}:{one.line}", one.profiles)
            for one in found.touched
        ]
        table(("touches", "name", prose("through"), prose("where"), number("profiles")), touched)
    else:
        out.print("no trait, segment, destination or namespace rests on it")
    out.print()
    if found.profiles is None:
        out.print("profiles are not counted: there is no snapshot yet (`skep snapshot` makes one)")
    else:
        out.print(f"{found.profiles:,} profiles have an event {found.event} (snapshot {found.snapshot})")
    for problem in found.problems:
        out.print(f"with it `skep check` says: {problem}")
