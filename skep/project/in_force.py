"""What is in force in each space, as it was last applied, and how the files below contracts/ differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

import contracts
from contracts.model.definitions import Definitions
from contracts.text.problems import ContractErrors, Problem
from skep.project.definitions import declared, faults, kept_files
from skep.project.settings import Settings, as_kept, horizon_problems, load_definitions
from skep.project.spaces import bundles, control_path, definitions_path

LISTED_MAX = 10
"""Files that are named one by one where something differs."""
Files = list[tuple[str, str]]
"""Paths below contracts/ that are not the same, each with ``added``, ``changed`` or ``removed``."""


class ChangedFile(msgspec.Struct, frozen=True):
    """A file below contracts/ that was ``added``, ``changed`` or ``removed``, as answers have it."""

    file: str
    change: str


def changed_files(files: Files) -> list[ChangedFile]:
    """Files that are not the same, as answers have them."""
    return [ChangedFile(f"contracts/{path}", how) for path, how in files]


def digest_in_force(settings: Settings, space: str) -> str | None:
    """The definitions that were applied last, whether a flow has come to them yet or not; None before the first."""
    known = declared(control_path(settings, space))
    return known[-1]["digest"] if known else None


def in_force(settings: Settings, space: str) -> Definitions:
    """The definitions that were applied last; the files as they are if none were yet. Raises `ContractErrors` and `StateError`."""
    digest = digest_in_force(settings, space)
    return load_definitions(settings) if digest is None else bundles(settings)(digest)


def kept_in_force(settings: Settings, digest: str) -> Definitions:
    """Definitions that were applied, checked against the settings of now: those are read anew at every start."""
    definitions = bundles(settings)(digest)
    problems = horizon_problems(settings, definitions)
    if problems:
        raise ContractErrors(problems)
    return definitions


@dataclass(frozen=True, slots=True)
class Standing:
    """How the files stand to what is in force.

    ``digests``: by space what is in force there, if anything is. ``differs``: by space the files that are not the same, of spaces that
    have some. ``problems``: why the files cannot be put in force; of files that are as in force nothing is asked.
    """

    digests: Mapping[str, str]
    differs: Mapping[str, Files]
    problems: tuple[Problem, ...] = ()

    @property
    def same(self) -> bool:
        return not self.differs and not self.problems

    def lines(self) -> list[str]:
        """For people: what differs, what is wrong, and what to do; nothing if the files are in force."""
        told: dict[str, list[str]] = {}
        for space, files in self.differs.items():
            told.setdefault(files_text(files), []).append(space)
        several = len(self.digests) > 1
        where = {text: f" in {' and '.join(spaces)}" if several else "" for text, spaces in told.items()}
        found = [f"files differ from what is in force{place}: {text}" for text, place in where.items()]
        if self.problems:
            found += ["they are broken, so they cannot be put in force:", *(f"  {one}" for one in self.problems[:LISTED_MAX])]
        return [] if self.same else [*found, self.next]

    @property
    def next(self) -> str:
        """What to do about it."""
        if self.problems:
            return "`skep check` says all that is wrong; what is in force stays so until `skep apply`"
        return "`skep plan` says what they would do, `skep apply` puts them in force"


def files_text(files: Files) -> str:
    """``changed contracts/segments/vips.yaml, added …``, the first of many."""
    named = [f"{how} contracts/{path}" for path, how in files[:LISTED_MAX]]
    return ", ".join(named) + (f" and {len(files) - LISTED_MAX} more" if len(files) > LISTED_MAX else "")


def standing(settings: Settings, *, prove: bool = False) -> Standing:
    """How the files stand to what is in force; with ``prove`` also whether they keep what they claim, which can take seconds."""
    files, problems = contracts.readable_files(settings.root / "contracts")
    files = as_kept(settings, files)
    digests = {space: digest for space in settings.spaces if (digest := digest_in_force(settings, space)) is not None}
    unread = {problem.file for problem in problems}
    differs: dict[str, Files] = {}
    for space, digest in digests.items():
        found = [(path, how) for path, how in differences(kept_files(settings, digest), files) if path not in unread]
        if found:
            differs[space] = found
    return Standing(digests, differs, tuple(_problems(settings, prove=prove) if differs or problems else ()))


def _problems(settings: Settings, *, prove: bool) -> list[Problem]:
    """Why the files cannot be put in force."""
    try:
        definitions = load_definitions(settings)
    except ContractErrors as error:
        return error.problems
    if not prove or definitions_path(settings, definitions.digest).exists():
        return []
    return faults(settings, definitions)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> Files:
    """The files that are not the same, by path."""
    return [
        (path, "added" if path not in before else "removed" if path not in after else "changed")
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
