"""`skep apply`: the project's files as they are now, in force from where each source stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

import contracts
from contracts.model.definitions import Definitions
from contracts.text.problems import Problem
from skep.project.definitions import declaration, keep, kept_files, proved, stored_positions
from skep.project.entries import Submitted, submit
from skep.project.errors import CommandError
from skep.project.in_force import ChangedFile, Files, changed_files, differences, digest_in_force
from skep.project.lookup_versions import LookupVersion, load_all, said_of, to_load
from skep.project.settings import Settings
from skep.project.spaces import bundles
from skep.project.usage import check_lowered


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it in one space; ``submitted`` is None if these definitions are in force already."""

    space: str
    digest: str
    files: Files
    submitted: Submitted | None
    lookups: Mapping[str, LookupVersion] = field(default_factory=dict)
    """Versions of lookups that were put in force before them."""
    missing: tuple[Problem, ...] = ()
    """Why lookups that may be without data are."""


def apply(settings: Settings, spaces: tuple[str, ...], said: Mapping[str, Any] | None = None, plan: str | None = None) -> list[Applied]:
    """Put the project's files in force in these spaces; ``said`` goes into the entries.

    Raises `ContractErrors` if something is wrong with the files, `CommandError` if ``plan`` is no longer the name of what would be
    done, and changes nothing then.
    """
    definitions = proved(settings)
    if plan is not None:
        check_plan(settings, spaces, definitions, plan)
    return [_apply(settings, space, definitions, said or {}) for space in spaces]


def _apply(settings: Settings, space: str, definitions: Definitions, said: Mapping[str, Any]) -> Applied:
    before = digest_in_force(settings, space)
    files = differences(kept_files(settings, before), definitions.files)
    if before != definitions.digest:
        check_lowered(settings, space, before, definitions)
    keep(settings, definitions)
    if before == definitions.digest:
        return Applied(space, definitions.digest, files, None)
    wanted = to_load(settings, space, bundles(settings)(before) if before else None, definitions) if definitions.lookups else []
    loaded, missing = load_all(settings, space, wanted)
    entry = {**declaration(definitions.digest, stored_positions(settings, space)), **said_of(loaded), **said}
    return Applied(space, definitions.digest, files, submit(settings, space, entry), loaded, tuple(missing))


def plan_name(settings: Settings, spaces: tuple[str, ...], digest: str) -> str:
    """16 digits that name a step from what is in force in these spaces to other definitions."""
    return contracts.digest({**{space: digest_in_force(settings, space) or "" for space in spaces}, "": digest})


def check_plan(settings: Settings, spaces: tuple[str, ...], definitions: Definitions, plan: str) -> None:
    """Raises CommandError if a plan's name is not the one of the step from what is in force to these definitions."""
    if plan_name(settings, spaces, definitions.digest) != plan:
        now = ", ".join(sorted({digest_in_force(settings, space) or "nothing" for space in spaces}))
        found = f"files or definitions in force that are others by now (files {definitions.digest}, in force {now})"
        raise CommandError(f"--plan: expected what plan {plan} was made of, found {found} → `skep plan`, then decide again")


def words(applied: Applied) -> str:
    """What happened, for people: a line for each file, and what the flow said."""
    named = f"{applied.space}: definitions {applied.digest}"
    if applied.submitted is None:
        return f"{named} are in force already"
    lines = [f"{how:8} contracts/{path}" for path, how in applied.files]
    lines += [f"lookup {name}: version {one.version}, {one.rows:,} rows" for name, one in applied.lookups.items()]
    lines += [f"lookup without new data: {problem}" for problem in applied.missing]
    return "\n".join([*lines, f"{named}: {applied.submitted.words()}"])


class AppliedRow(msgspec.Struct, frozen=True):
    """What came of it in one space, for programs; ``running`` and ``answer`` are None if these definitions are in force already."""

    space: str
    definitions: str
    files: list[ChangedFile]
    running: bool | None = None
    answer: dict[str, Any] | None = None
    lookups: dict[str, LookupVersion] | UnsetType = UNSET


def row(applied: Applied) -> AppliedRow:
    """What happened, for programs."""
    found = AppliedRow(applied.space, applied.digest, changed_files(applied.files))
    submitted = applied.submitted
    lookups = dict(applied.lookups) or UNSET
    return found if submitted is None else replace(found, running=submitted.running, answer=submitted.answer, lookups=lookups)
