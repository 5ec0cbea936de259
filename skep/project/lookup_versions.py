"""Versions of lookups: loaded from where the data is, kept below data/lookups, put in force by entries of the control partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from connectors.control import append
from contracts.model.definitions import Definitions
from contracts.model.lookup import Lookup
from contracts.text.problems import ContractErrors, Problem
from operators.lookups.found import LookupTable
from operators.lookups.lookup_epochs import ENTRY, named_versions
from skep.project.definitions import held_from
from skep.project.settings import Settings
from skep.project.spaces import control_path, lookup_folder
from skep.project.who import who
from state.errors import NoVersion

if TYPE_CHECKING:
    from pathlib import Path


class LookupVersion(msgspec.Struct, frozen=True):
    """A version of a lookup's data: how many rows it has, of which file, and when it was put in force, once it was."""

    version: str
    rows: int
    source: str
    since: str | None = None


def tables(settings: Settings) -> Callable[[Lookup, str], LookupTable]:
    """What loads the data of a version that was kept; it raises `NoVersion`."""
    from state.lookup_data import read_table  # noqa: PLC0415 - commands that look up nothing are without pyarrow

    def load(lookup: Lookup, version: str) -> LookupTable:
        return LookupTable(lookup, version, *read_table(lookup_folder(settings, lookup.name), version))

    return load


def load_version(settings: Settings, lookup: Lookup) -> LookupVersion:
    """Read the data as it is now and keep it. Raises `ContractErrors` of data that is not there or is broken, and `DiskFull`."""
    from connectors.lookups.data import load_lookup  # noqa: PLC0415 - as above
    from state.lookup_data import put_table  # noqa: PLC0415

    loaded = load_lookup(lookup, settings.root)
    return LookupVersion(put_table(lookup_folder(settings, lookup.name), *loaded), len(loaded.keys), lookup.path)


def data_problems(settings: Settings, lookups: Iterable[Lookup]) -> list[Problem]:
    """What is wrong with the data of lookups as it is now."""
    from connectors.lookups.data import load_lookup  # noqa: PLC0415 - as above

    problems: list[Problem] = []
    for lookup in lookups:
        try:
            load_lookup(lookup, settings.root)
        except ContractErrors as error:
            problems += error.problems
    return problems


def versions_in_force(settings: Settings, space: str) -> dict[str, LookupVersion]:
    """By lookup the version that was put in force last, whether a flow has come to it yet or not."""
    path = control_path(settings, space)
    found: dict[str, LookupVersion] = {}
    for line in path.read_bytes().splitlines() if path.exists() else ():
        if b'"lookups"' not in line:
            continue
        with suppress(orjson.JSONDecodeError, msgspec.ValidationError):
            entry = orjson.loads(line)
            if entry.get("type") == ENTRY and named_versions(entry) is not None:
                for name, said in entry["versions"].items():
                    found[name] = msgspec.convert({**said, "since": entry.get("timestamp")}, LookupVersion)
    return found


def to_load(settings: Settings, space: str, before: Definitions | None, after: Definitions) -> list[Lookup]:
    """The lookups of definitions that have no version in force, or say something else than before, or whose version was lost."""
    known = versions_in_force(settings, space)
    same = set(before.lookups) & set(after.lookups) if before is not None else set(after.lookups)
    return [one for one in after.lookups if one not in same or one.name not in known or not _kept(settings, one, known[one.name])]


def _kept(settings: Settings, lookup: Lookup, version: LookupVersion) -> bool:
    return _path(settings, lookup, version).exists()


def _path(settings: Settings, lookup: Lookup, version: LookupVersion) -> Path:
    return lookup_folder(settings, lookup.name) / f"{version.version}.parquet"


def load_all(settings: Settings, space: str, lookups: Sequence[Lookup]) -> tuple[dict[str, LookupVersion], list[Problem]]:
    """The versions of these lookups that are not in force yet, and why data cannot be loaded that may be missing.

    Raises `ContractErrors` of data that must be there, and `NoVersion` if a version in force was lost and is not to be had again.
    """
    known = versions_in_force(settings, space)
    loaded: dict[str, LookupVersion] = {}
    refused: list[Problem] = []
    missing: list[Problem] = []
    for lookup in lookups:
        before = known.get(lookup.name)
        try:
            found = load_version(settings, lookup)
        except ContractErrors as error:
            (refused if lookup.on_error == "refuse" else missing).extend(error.problems)
            continue
        if before is None or found.version != before.version:
            loaded[lookup.name] = found
    if refused:
        raise ContractErrors(refused)
    for lookup in lookups:
        before = known.get(lookup.name)
        if lookup.on_error == "refuse" and before is not None and not _kept(settings, lookup, before):
            words = "restore it from a backup: records that are read again have to be judged by it"
            raise NoVersion(f"{_path(settings, lookup, before)} is in force but not there → {words}")
    return loaded, missing


def entry_of(versions: dict[str, LookupVersion], stored: list[dict[str, int]] | None) -> dict[str, Any]:
    """The entry that puts versions in force; ``stored`` as in `declaration`."""
    said = {name: {"version": one.version, "rows": one.rows, "source": one.source} for name, one in versions.items()}
    return {"type": ENTRY, "versions": said, "by": who(), **held_from(stored)}


def put_in_force(
    settings: Settings, space: str, before: Definitions | None, after: Definitions, stored: list[dict[str, int]]
) -> list[Problem]:
    """What a flow begins with: data that is to be there is loaded and put in force, behind the positions that any store has.

    Returns why data cannot be loaded that may be missing; raises as `load_all`.
    """
    loaded, missing = load_all(settings, space, to_load(settings, space, before, after))
    if loaded:
        append(control_path(settings, space), entry_of(loaded, stored))
    return missing
