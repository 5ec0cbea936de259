"""`skep apply`: the project's files as they are now, in force from where each source stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skep.control import Submitted, submit
from skep.definitions import declaration, declared, keep, kept_files, proved, stored_positions
from skep.settings import Settings
from skep.spaces import control_path


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it in one space: the files that changed as ``(path, added | changed | removed)``; ``submitted`` is
    None if these definitions are in force already."""

    space: str
    digest: str
    files: list[tuple[str, str]]
    submitted: Submitted | None


def apply(settings: Settings, space: str, said: Mapping[str, Any] | None = None) -> Applied:
    """Put the project's files in force in a space; ``said`` goes into the entry.

    Raises `ContractErrors` and changes nothing if something is wrong with them.
    """
    definitions = proved(settings)
    known = declared(control_path(settings, space))
    before = known[-1]["digest"] if known else None
    files = differences(kept_files(settings, before), definitions.files)
    if before == definitions.digest:
        return Applied(space, definitions.digest, files, None)
    keep(settings, definitions)
    entry = {**declaration(definitions.digest, stored_positions(settings, space)), **(said or {})}
    return Applied(space, definitions.digest, files, submit(settings, space, entry))


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str]]:
    """The files that are not the same, by path."""
    return [
        (path, "added" if path not in before else "removed" if path not in after else "changed")
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]


def words(applied: Applied) -> str:
    """What happened, for people: a line for each file, and what the flow said."""
    if applied.submitted is None:
        return f"{applied.space}: definitions {applied.digest} are in force already"
    lines = [f"{how:8} contracts/{path}" for path, how in applied.files]
    return "\n".join([*lines, f"{applied.space}: {applied.submitted.words()}"])


def row(applied: Applied) -> dict[str, Any]:
    """What happened, for programs."""
    submitted = applied.submitted
    return {
        "space": applied.space,
        "definitions": applied.digest,
        "files": [{"file": f"contracts/{path}", "change": how} for path, how in applied.files],
        "running": None if submitted is None else submitted.running,
        "answer": None if submitted is None else submitted.answer,
    }
