"""Versions of lookups: loaded from where the data is, kept below data/lookups, put in force by entries of the control partition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import orjson

from connectors.control import append
from contracts.model.definitions import Definitions
from contracts.model.lookup import TABLES, Lookup
from contracts.text.problems import ContractErrors, Problem
from operators.lookups.channels import Channels
from operators.lookups.found import Look, LookupTable
from operators.lookups.lookup_epochs import ENTRY, named_versions
from skep.project.definitions import held_from
from skep.project.settings import Settings
from skep.project.spaces import control_path, lookup_folder
from skep.project.who import who
from state.errors import NoVersion


class LookupVersion(msgspec.Struct, frozen=True):
    """A version of a lookup's data: how many rows it has, of which file, and when it was put in force, once it was."""

    version: str
    rows: int
    source: str
    since: str | None = None


def lookers(settings: Settings) -> Callable[[Lookup, str], Look]:
    """What loads the data of a version that was kept, to look it up; it raises `NoVersion`."""
    from state.lookup_data import kept_content, read_table  # noqa: PLC0415 - commands that look up nothing are without pyarrow

    def load(lookup: Lookup, version: str) -> Look:
        folder = lookup_folder(settings, lookup.name)
        if lookup.kind in TABLES:
            return LookupTable(lookup, version, *read_table(folder, version)).look
        path = kept_content(folder, version, lookup.suffix)
        if lookup.kind == "channel":
            return Channels(lookup, version, path.read_bytes()).look
        if lookup.kind == "maxmind":
            from operators.lookups.networks import Networks  # noqa: PLC0415 - libraries that only such lookups need

            return Networks(lookup, version, path).look
        from operators.lookups.agents import Agents  # noqa: PLC0415 - as above

        return Agents(lookup, version, path.read_bytes()).look

    return load


def load_version(settings: Settings, lookup: Lookup) -> LookupVersion:
    """Read the data as it is now and keep it. Raises `ContractErrors` of data that is not there or is broken, and `DiskFull`."""
    from connectors.lookups.data import Loaded, load_lookup  # noqa: PLC0415 - as above
    from state.lookup_data import put_content, put_table  # noqa: PLC0415

    loaded, folder = load_lookup(lookup, settings.root), lookup_folder(settings, lookup.name)
    if isinstance(loaded, Loaded):
        return LookupVersion(put_table(folder, *loaded), len(loaded.keys), lookup.path or "a query")
    return LookupVersion(put_content(folder, loaded.content, lookup.suffix), loaded.size, loaded.source)


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
        if b'"versions"' not in line:
            continue
        with suppress(orjson.JSONDecodeError, msgspec.ValidationError):
            entry = orjson.loads(line)
            if entry.get("type") in {ENTRY, "definitions"} and named_versions(entry) is not None:
                for name, said in entry["versions"].items():
                    found[name] = msgspec.convert({**said, "since": entry.get("timestamp")}, LookupVersion)
    return found


def to_load(settings: Settings, space: str, before: Definitions | None, after: Definitions) -> list[Lookup]:
    """The lookups of definitions that have no version in force, or say something else than before, or whose version was lost."""
    known = versions_in_force(settings, space)
    same = set(before.lookups) & set(after.lookups) if before is not None else set(after.lookups)
    return [one for one in after.lookups if one not in same or one.name not in known or not _kept(settings, one, known[one.name])]


def _kept(settings: Settings, lookup: Lookup, version: LookupVersion) -> bool:
    """Whether its data is there, of whatever kind it was."""
    return any(lookup_folder(settings, lookup.name).glob(f"{version.version}.*"))


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
            raise NoVersion(f"{lookup_folder(settings, lookup.name)}/{before.version}{lookup.suffix} is in force but not there → {words}")
    return loaded, missing


def entry_of(versions: dict[str, LookupVersion], stored: list[dict[str, int]] | None) -> dict[str, Any]:
    """The entry that puts versions in force; ``stored`` as in `declaration`."""
    return {"type": ENTRY, **said_of(versions), "by": who(), **held_from(stored)}


def said_of(versions: dict[str, LookupVersion]) -> dict[str, Any]:
    """What an entry says of versions; one of definitions may say it, too, so that both take effect at the same positions."""
    said = {name: {"version": one.version, "rows": one.rows, "source": one.source} for name, one in versions.items()}
    return {"versions": said} if said else {}


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
