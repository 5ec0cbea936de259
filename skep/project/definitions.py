"""Definitions taking effect: their texts kept under data/definitions, and the control entry that puts them in force."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from connectors.control import append
from contracts.meaning.lost import lost_tags
from contracts.model.definitions import Definitions
from contracts.reading.lineage import properties_of
from contracts.text.problems import ContractErrors, Problem
from contracts.versions.proofs import prove
from operators import blocked_check
from operators.epochs import CONTROL
from operators.match import model
from skep.project.process import flow_is_running
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import archive_path, control_path, definitions_path, open_view
from skep.project.who import who
from state.errors import NoState
from state.files import replace


def proved(settings: Settings) -> Definitions:
    """The project's contracts, with what they claim proved (`contracts.versions.proofs`) unless they have been in force before.

    Raises `ContractErrors`.
    """
    definitions = load_definitions(settings)
    if not definitions_path(settings, definitions.digest).exists():
        problems = faults(settings, definitions)
        if problems:
            raise ContractErrors(problems)
    return definitions


def faults(settings: Settings, definitions: Definitions) -> list[Problem]:
    """What is wrong with contracts that can be read: what they claim and is not so, a model that cannot be used, what blocks nothing,
    tags in vain."""
    lost, _ = lost_and_in_force(settings, definitions)
    claims = prove(definitions, formats=settings.formats == "assert")
    return claims + model.check(definitions) + blocked_check.check(definitions) + lost


def lost_and_in_force(settings: Settings, definitions: Definitions) -> tuple[list[Problem], list[Problem]]:
    """The tags that say something in vain (`contracts.meaning.lost`): those of new and changed files, and those of files that are in
    force as they are, in some space. Events are judged by the latter already, and a flow goes on."""
    problems = lost_tags(properties_of(definitions))
    if not problems:
        return [], []
    entries = [declared(control_path(settings, space))[-1:] for space in settings.spaces]
    kept = [kept_files(settings, entry["digest"]) for found in entries for entry in found]
    known = {problem.file for problem in problems if any(files.get(problem.file) == definitions.files[problem.file] for files in kept)}
    return [one for one in problems if one.file not in known], [one for one in problems if one.file in known]


def kept_files(settings: Settings, digest: str | None) -> dict[str, str]:
    """The files of definitions that have been in force; none before the first."""
    path = None if digest is None else definitions_path(settings, digest)
    if path is None or not path.exists():
        return {}
    found: dict[str, str] = orjson.loads(path.read_bytes())
    return found


def keep(settings: Settings, definitions: Definitions) -> None:
    """Keep the files as they are now, under their digest, so that a record can be judged by them again."""
    path = definitions_path(settings, definitions.digest)
    if path.exists():
        return
    replace(path, orjson.dumps(definitions.files, option=orjson.OPT_SORT_KEYS))


def declared(path: Path) -> list[dict[str, Any]]:
    """The entries of a control file that put definitions in force, oldest first."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        if b'"definitions"' in line:
            with suppress(orjson.JSONDecodeError):
                entry = orjson.loads(line)
                if entry.get("type") == "definitions":
                    found.append(entry)
    return found


def declare(path: Path, digest: str, stored: list[dict[str, int]]) -> None:
    """Put a digest in force unless it is, behind the positions that any store has."""
    known = declared(path)
    if not known or known[-1]["digest"] != digest:
        append(path, declaration(digest, stored))


def declaration(digest: str, stored: list[dict[str, int]] | None) -> dict[str, Any]:
    """The entry that puts a digest in force; ``by`` is who runs the command or the flow.

    It holds behind the positions that any store has (``stored``); with None, from where the running flow stands.
    """
    return {"type": "definitions", "digest": digest, "by": who(), **held_from(stored)}


def held_from(stored: list[dict[str, int]] | None) -> dict[str, Any]:
    """``from`` of an entry that holds from the first record that no store has; nothing of one that a running flow is to place."""
    if stored is None:
        return {}
    names = {name for positions in stored for name in positions if name != CONTROL}
    return {"from": {name: max(positions.get(name, 0) for positions in stored) + 1 for name in sorted(names)}}


def stored_positions(settings: Settings, space: str) -> list[dict[str, int]] | None:
    """How far each store of a space has come; None while a flow moves it on."""
    if flow_is_running(settings):
        return None
    from state.archive import load_positions  # noqa: PLC0415 - commands that only look are without pyarrow

    stored = [load_positions(archive_path(settings, space) / "positions.json")]
    with suppress(NoState):
        view = open_view(settings, space)
        stored.append(view.meta.applied)
        view.close()
    return stored
