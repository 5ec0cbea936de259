"""`skep contracts bump`: which version number a change deserves, from two files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.model.definitions import Version
from contracts.model.versions import VERSION, version_text
from contracts.versions.bump import STEPS, Deserved, claimed, deserved, following, sentence
from schemalogic.compare import unusable
from skep.tools.compat import UnusableFile, read_schema, read_types

ENOUGH, LESS, UNUSABLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Bump:
    """The exit code, what ``--json`` prints, the lines for people, and for unusable files what is wrong with them."""

    code: int
    report: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
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
    report: dict[str, Any] = {
        "deserves": found.step, "changes": found.changes, "undecided": found.undecided, "next": after,
        "old": version_text(old) if old else None, "new": version_text(new) if new else None, "claims": step, "enough": enough,
        "why": sentence(found), "typed": list(found.typed),
    }  # fmt: skip
    if found.breaks is not None:
        report |= {"path": found.breaks.path, "keyword": found.breaks.keyword, "example": found.breaks.example}
    if found.stays:
        report["stays"] = found.stays[0]
    lines = [f"{found.step}{' at least' if found.undecided else ''}: {sentence(found)}"]
    if found.stays:
        lines.append(f"  stays valid: {_short(found.stays[0])}")
    lines += [_typed(path) for path in found.typed]
    lines += [f"next: {after}"] if after else []
    if not enough and old and new:
        claim = f"only a step of {step}" if step else f"no step after {version_text(old)}"
        lines.append(f"the number {version_text(new)} claims {claim} → name the file {after}.json")
    return Bump(ENOUGH if enough else LESS, report, lines)


def _typed(path: str) -> str:
    return (
        f"  {path} is said more of now, but objects of before are open and may hold any value there. It would be an addition, had the old "
        'version "additionalProperties": false; or leave it without a type: {}'
    )


def _short(value: Any, length: int = 200) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[: length - 1] + "…"
