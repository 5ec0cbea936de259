"""`skep contracts bump`: which version number a change deserves, from two files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from contracts.model.definitions import Version
from contracts.model.versions import VERSION, version_text
from contracts.versions.bump import STEPS, Deserved, claimed, deserved, following, sentence
from schemalogic.compare import unusable
from skep.tools.compat import UnusableFile, read_schema, read_types

ENOUGH, LESS, UNUSABLE = 0, 1, 2


class Report(msgspec.Struct, frozen=True):
    """What a change deserves (``deserves``, ``next``: the version), and what the name of the new file claims.

    ``why`` is a sentence; ``path``, ``keyword`` and ``example``: what breaks; ``stays``: a document that stays valid; ``typed``: properties
    of which more is said now, but which any document of before may hold otherwise.
    """

    deserves: str
    changes: bool
    undecided: bool
    next: str | None
    old: str | None
    new: str | None
    claims: str | None
    enough: bool
    why: str
    typed: list[str]
    path: str | UnsetType = UNSET
    keyword: str | UnsetType = UNSET
    example: Any = UNSET
    stays: Any = UNSET


@dataclass(frozen=True, slots=True)
class Bump:
    """The exit code and the report, or what is wrong with files that are unusable."""

    code: int
    report: Report | None = None
    errors: list[str] = field(default_factory=list)


def bump(old: Path, new: Path, *, formats: bool) -> Bump:
    """What the change from one file to the other deserves, and whether the new file's name claims that much."""
    schemas, types, errors = [], {}, []
    for file in (old, new):
        try:
            schema, refers = read_schema(file), read_types(file)
        except UnusableFile as error:
            errors.append(str(error))
            continue
        errors += [f"{file}: {'/'.join(map(str, path)) or 'the schema'}: {message}" for path, message in unusable(schema, refers)]
        schemas.append(schema)
        types.update(refers)
    if errors:
        return Bump(UNUSABLE, errors=errors)
    found = deserved(schemas[0], schemas[1], types, formats=formats)
    return _judged(found, _version(old), _version(new))


def _version(file: Path) -> Version | None:
    found = VERSION.fullmatch(file.stem)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _judged(found: Deserved, old: Version | None, new: Version | None) -> Bump:
    step = claimed(old, new) if old and new else None
    enough = not (old and new) or (STEPS.index(step) >= STEPS.index(found.step) if step else old == new and not found.changes)
    after = version_text(following(old, found.step)) if old else None
    report = Report(
        found.step, found.changes, found.undecided, after, version_text(old) if old else None, version_text(new) if new else None, step,
        enough, sentence(found), list(found.typed),
    )  # fmt: skip
    if found.breaks is not None:
        report = replace(report, path=found.breaks.path, keyword=found.breaks.keyword, example=found.breaks.example)
    if found.stays:
        report = replace(report, stays=found.stays[0])
    return Bump(ENOUGH if enough else LESS, report)
