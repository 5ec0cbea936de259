"""What a project's settings make of a space, for whoever writes it as the flow does."""

from __future__ import annotations

from collections.abc import Callable

from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.judge import Judge
from operators.people.work import Work
from skep.project.personal import hide_traits
from skep.project.settings import Settings
from skep.project.spaces import archive_path, backfill_path, shard_path
from state.bulk import take_in
from state.shard import Shard


def open_shard(settings: Settings, space: str, cache_bytes: int = 64 * 1024 * 1024) -> Shard:
    """A space's shard for its one writer, who holds the lock. What a backfill had ready when it was killed is taken in first."""
    shard = Shard(shard_path(settings, space), sync=settings.sync, cache_bytes=cache_bytes)
    take_in(shard, archive_path(settings, space), backfill_path(settings, space))
    return shard


def work_of(settings: Settings, space: str, shard: Shard, *, load: Callable[[str], Definitions], judge: Callable[[str], Judge]) -> Work:
    """On what a space works that is stored in this shard; ``load`` and ``judge`` as in `Work`."""
    clear = settings.snapshot_personal == "clear"
    return Work(
        space,
        shard,
        Hasher(settings.secret, space),
        load=load,
        judge=judge,
        horizon_us=settings.horizon_us,
        cache_bytes=settings.cache_mb * 1_000_000,
        repair_moments=settings.repair_moments,
        hide=None if clear else lambda definitions: hide_traits(settings, definitions, space),
    )
