"""`skep state info`: how each space is stored, what it takes, and what it needs before this version of Skep works on it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from connectors.destinations.destination import Cursor
from operators.meta import Meta
from operators.view.space import View
from skep.project.asking import ask
from skep.project.errors import CommandError
from skep.project.migration import OURS, Standing, StandingRow, standings
from skep.project.settings import Settings
from skep.project.spaces import archive_path, open_view, shard_path
from state.shard import SecondaryShard
from state.sizes import ArchiveSize, ShardSize, Stalls, archive_size, shard_size

STALLS_S = 5.0
"""How long the flow may take to say how it keeps up; all else is there without it."""
OF_PEOPLE = frozenset({
    "people", "alias", "versions", "identified", "refused", "manual", "blocks", "timers", "denials", "history", "members", "traits",
})  # fmt: skip


class Follower(msgspec.Struct, frozen=True):
    """How far a destination has been told; ``behind`` changes are left."""

    destination: str
    sequence: int
    behind: int


class Taken(msgspec.Struct, frozen=True):
    """What a space takes. Bytes are those of files and memory; ``quarantine`` counts records.

    ``bytes_per_profile``: families of people, by profiles; ``bytes_per_event``: the whole shard, by accepted events;
    ``archive_bytes_per_event`` likewise; None of nothing. ``stalls`` is None while no flow runs, or if it has not said so.
    """

    profiles: int
    changes: int
    quarantine: int
    bytes_per_profile: float | None
    bytes_per_event: float | None
    archive_bytes_per_event: float | None
    shard: ShardSize
    stalls: Stalls | None
    archive: ArchiveSize
    told: list[Follower]


class StateInfo(StandingRow, frozen=True, kw_only=True):
    """A space; ``stored`` is missing where this version cannot read the format."""

    stored: Taken | UnsetType = UNSET


def state_info(settings: Settings, spaces: tuple[str, ...]) -> list[StateInfo]:
    """Those of the spaces that have run; raises `NoState` if there is none. A flow that runs is asked how it keeps up."""
    found = standings(settings, spaces)
    told = _asked(settings)
    return [_info(settings, one, told) for one in found]


def _info(settings: Settings, found: Standing, told: Mapping[str, Stalls]) -> StateInfo:
    row = msgspec.structs.asdict(found.row())
    return StateInfo(**row, stored=_stored(settings, found.space, told.get(found.space)) if found.format == OURS else UNSET)


def _stored(settings: Settings, space: str, stalls: Stalls | None) -> Taken:
    with closing(open_view(settings, space)) as view:
        assert isinstance(view.rows, SecondaryShard)
        meta, shard = view.meta, shard_size(view.rows, shard_path(settings, space))
        archive = archive_size(archive_path(settings, space))
        taken = {one.family: one.bytes + one.memory for one in shard.families}
        return Taken(
            meta.people,
            meta.changes,
            sum(meta.quarantine.values()),
            _each(sum(taken.get(name, 0) for name in OF_PEOPLE), meta.people),
            _each(sum(taken.values()), meta.events),
            _each(archive.bytes, meta.events),
            shard,
            stalls,
            archive,
            _told(settings, view, meta),
        )


def _each(size: int, of: int) -> float | None:
    return round(size / of, 1) if of else None


def _told(settings: Settings, view: View, meta: Meta) -> list[Follower]:
    names = [one.name for one in view.program.definitions.destinations if one.path] if meta.digest else []
    sequences = {name: Cursor(settings.data / "cursors" / f"{name}@{view.space}.json").load() for name in names}
    # Meanwhile a destination may have been told of changes that were committed after the view was opened.
    return [Follower(name, sequence, max(0, meta.changes - sequence)) for name, sequence in sequences.items()]


def _asked(settings: Settings) -> dict[str, Stalls]:
    """What the flow says, by space; nothing if none runs, or it is busy."""
    try:
        answer: dict[str, Any] = ask(settings, {"what": "stalls"}, STALLS_S) or {}
    except CommandError:
        return {}
    return msgspec.convert(answer, dict[str, Stalls])
