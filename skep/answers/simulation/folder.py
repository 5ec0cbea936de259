"""The definitions of a folder that need not be a project's: segments in it, or below ``segments/``, and what they rest on."""

from __future__ import annotations

from pathlib import Path

import contracts
from contracts import ContractErrors, Problem
from contracts.model.definitions import Definitions
from contracts.reading import identity
from contracts.reading.loading import SINGLE, place_problems
from skep.answers.simulation.run import rules_of
from skep.project.errors import CommandError

IDENTITY = """namespaces:
  - {name: user_id, from: userId, unique: true}
  - {name: anonymous_id, from: anonymousId, scope: device}
blocked: {values: [""], patterns: []}
"""
"""Who is who where no rules are given: no value is taken for a placeholder."""


class Folder:
    """The files of a folder by their place below ``contracts/``; what does not belong there is passed over."""

    def __init__(self, root: Path, rules: Path | None) -> None:
        """``rules``: a file like contracts/identity.yaml, in the place of `IDENTITY`. Raises CommandError."""
        if not root.is_dir():
            raise CommandError(
                f"{root}: expected a folder with the YAML files of segments, found {'a file' if root.exists() else 'nothing'}"
            )
        self._root = root
        self._from: dict[str, Path] = {}
        problems: list[Problem] = []
        texts: dict[str, str] = {}
        for file in sorted(root.rglob("*")):
            place = _place(file.relative_to(root).as_posix())
            if place is None or file.is_dir():
                continue
            if place in self._from:
                raise CommandError(
                    f"{file}: expected one file of the segment {file.stem}, found {self._from[place]} too → remove one of them"
                )
            self._from[place] = file
            problems += place_problems(place)
            try:
                texts[place] = file.read_bytes().decode("utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(Problem(place, 1, "", "a readable file in UTF-8", str(error)))
        self._refuse(problems)
        given = {identity.FILE: IDENTITY} if rules is None else rules_of(rules).files
        self._texts = {**texts, **given}
        self._rules = rules
        self.has_contracts = any(place.startswith("events/") for place in texts)
        """Whether contracts say which events there are; without any, every event and property is one."""

    def load(self) -> Definitions:
        """What the files mean. Raises CommandError with everything that is wrong, as `skep check` has it, each with its file."""
        try:
            return contracts.load(self._texts, unknown_events_ok=not self.has_contracts, undeclared_ok=True)
        except ContractErrors as error:
            self._refuse(error.problems)
            raise

    def _refuse(self, problems: list[Problem]) -> None:
        if problems:
            raise CommandError(
                "\n".join(str(one).replace(one.place, str(self._from.get(one.file, one.place)), 1) for one in sorted(problems))
            )


def _place(path: str) -> str | None:
    """Where a file of the folder would lie below ``contracts/``; None if it is none of those that say who is in a segment."""
    folders, _, name = path.rpartition("/")
    if any(part.startswith(".") for part in path.split("/")) or path == identity.FILE:
        return None
    if not folders:
        return path if path in SINGLE else f"segments/{name}" if name.endswith((".yaml", ".yml")) else None
    if folders == "segments" or not place_problems(path):
        return None if folders == "sources" else path
    return None
