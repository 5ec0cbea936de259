"""`skep lookups`: which version of each lookup is in force, what it has found, what a key finds, and newer data taken in."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from contracts.model.lookup import Lookup
from contracts.text.problems import ContractErrors, choices
from operators.lookups.channels import arrival
from operators.lookups.found import NO_DATA
from skep.project.definitions import stored_positions
from skep.project.entries import Submitted, submit
from skep.project.errors import CommandError
from skep.project.in_force import in_force
from skep.project.lookup_versions import LookupVersion, entry_of, load_version, lookers, versions_in_force
from skep.project.settings import Settings
from skep.project.spaces import open_view
from state.errors import NoState


class LookupRow(msgspec.Struct, frozen=True):
    """A lookup of a space: its version, if it has one, and for how many events it found something, found nothing, had no data."""

    space: str
    lookup: str
    kind: str
    source: str
    version: str | None
    rows: int | None
    since: str | None
    hits: int
    misses: int
    unavailable: int


class Refreshed(msgspec.Struct, frozen=True):
    """What came of newer data in a space: the version in force now, and before; ``problem``: why the data was not taken."""

    space: str
    lookup: str
    version: str | None
    rows: int | None
    before: str | None
    problem: str | None = None
    answer: str | None = None


def report(settings: Settings, spaces: Iterable[str]) -> list[LookupRow]:
    """The lookups of the definitions in force, by space."""
    rows: list[LookupRow] = []
    for space in spaces:
        versions, counts = versions_in_force(settings, space), _counts(settings, space)
        for lookup in in_force(settings, space).lookups:
            known, looked = versions.get(lookup.name), counts.get(lookup.name, [0, 0, 0])
            said = (None, None, None) if known is None else (known.version, known.rows, known.since)
            source = lookup.path if known is None else known.source
            rows.append(LookupRow(space, lookup.name, lookup.kind, source, *said, *looked))
    return rows


def _counts(settings: Settings, space: str) -> dict[str, list[int]]:
    with suppress(NoState):
        view = open_view(settings, space)
        try:
            return view.meta.looked
        finally:
            view.close()
    return {}


def look(settings: Settings, space: str, name: str, key: str) -> dict[str, Any]:
    """What an event with this key would carry; of a channel the key is the address of a page. Raises `CommandError` and `NoVersion`."""
    [lookup] = _named(settings, space, [name])
    known = versions_in_force(settings, space).get(name)
    value = arrival(key, "", {}) if lookup.kind == "channel" else key
    found = NO_DATA if known is None else lookers(settings)(lookup, known.version)(value)
    if found is None:
        raise CommandError(f"KEY: expected a key of lookup {name}, which has normalize: {lookup.normalize}, found {key!r}")
    return found.said


def refresh(settings: Settings, spaces: Iterable[str], names: list[str]) -> list[Refreshed]:
    """Take the data of lookups as it is now, all of them without ``names``. Data that is broken is not taken: what is in force stays."""
    loaded: dict[Lookup, LookupVersion | str] = {}
    found: list[Refreshed] = []
    for space in spaces:
        known = versions_in_force(settings, space)
        new: dict[str, LookupVersion] = {}
        rows: list[Refreshed] = []
        for lookup in _named(settings, space, names):
            if lookup not in loaded:
                loaded[lookup] = _load(settings, lookup)
            now, before = loaded[lookup], known.get(lookup.name)
            standing = before if isinstance(now, str) else now
            version, count = (None, None) if standing is None else (standing.version, standing.rows)
            problem = now if isinstance(now, str) else None
            rows.append(Refreshed(space, lookup.name, version, count, None if before is None else before.version, problem))
            if not isinstance(now, str) and (before is None or before.version != now.version):
                new[lookup.name] = now
        submitted = submit(settings, space, entry_of(new, stored_positions(settings, space))) if new else None
        found += [msgspec.structs.replace(row, answer=_answer(submitted)) if row.lookup in new else row for row in rows]
    return found


def _answer(submitted: Submitted | None) -> str | None:
    return None if submitted is None else submitted.words()


def _load(settings: Settings, lookup: Lookup) -> LookupVersion | str:
    try:
        return load_version(settings, lookup)
    except ContractErrors as error:
        return str(error)


def _named(settings: Settings, space: str, names: list[str]) -> list[Lookup]:
    known = {one.name: one for one in in_force(settings, space).lookups}
    for name in names:
        if name not in known:
            hint = choices(name, known) or "`skep apply` puts contracts/lookups/ in force"
            raise CommandError(f"NAME: expected a lookup in force in space {space}, found {name} → {hint}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())
