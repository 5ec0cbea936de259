"""`skep status`: what was received, what became of it, and where each space stands."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, UnsetType

from skep.answers import sources
from skep.project import in_force
from skep.project.process import flow_is_running, form_of_flow
from skep.project.settings import Settings
from skep.project.spaces import open_views, snapshot_path
from skep.project.usage import members_over

SUMS = (
    "received", "applied", "duplicate", "conflict", "quarantined", "dropped", "unidentified", "people", "merges", "splits", "changes",
    "remembered", "large_blocks", "uncorrected", "denials",
)  # fmt: skip


class Partition(msgspec.Struct):
    """Where a partition stands; ``lag_s``: how far its newest event is behind the wall clock, None if it is read to its end; ``lag`` of a
    topic's: how many offsets are not applied, where its cluster answers."""

    position: int
    clock: str | None
    finished: bool
    stopped: bool
    lag_s: float | None = None
    lag: int | UnsetType = UNSET


class Late(msgspec.Struct, kw_only=True):
    """How many records of a source came too late, of all that were received."""

    space: str | UnsetType = UNSET
    source: str
    too_late: int
    received: int


class Unread(msgspec.Struct, kw_only=True):
    """Decisions about a purpose that a source has written so that they cannot be read, and that count as denials."""

    space: str | UnsetType = UNSET
    purpose: str
    source: str
    decisions: int


class Broken(msgspec.Struct, kw_only=True):
    """An expectation that does not hold; ``stops``: its source is read no further until it does."""

    space: str | UnsetType = UNSET
    source: str
    event: str
    expectation: str
    value: float | int | None
    expected: dict[str, float | int]
    severity: str
    since: str
    stops: bool


class Rebuilds(msgspec.Struct, frozen=True):
    """How often people were made anew because something was taken away, how many identifiers they had, and how long it took."""

    rebuilds: int = 0
    identifiers: int = 0
    seconds: float = 0


class SpaceStatus(msgspec.Struct):
    """What one space has received, and where it stands. Times are ISO texts."""

    space: str
    received: int = 0
    applied: int = 0
    duplicate: int = 0
    conflict: int = 0
    quarantined: int = 0
    dropped: int = 0
    unidentified: int = 0
    clock: str | None = None
    partitions: dict[str, Partition] = {}
    people: int = 0
    segments: dict[str, int] = {}
    quarantine: dict[str, int] = {}
    late: list[Late] = []
    merges: int = 0
    splits: int = 0
    changes: int = 0
    definitions: str = ""
    remembered: int = 0
    large_blocks: int = 0
    uncorrected: int = 0
    denials: int = 0
    rebuilds: Rebuilds = Rebuilds()
    unread_consents: list[Unread] = []
    broken: list[Broken] = []
    stopped: list[str] = []


class Totals(msgspec.Struct):
    """All spaces together; the clock is the slowest space's. With several spaces, partitions and segments are named ``space/name``."""

    received: int
    applied: int
    duplicate: int
    conflict: int
    quarantined: int
    dropped: int
    unidentified: int
    people: int
    merges: int
    splits: int
    changes: int
    remembered: int
    large_blocks: int
    uncorrected: int
    denials: int
    clock: str | None
    partitions: dict[str, Partition]
    segments: dict[str, int]
    stopped: list[str]
    broken: list[Broken]
    late: list[Late]
    unread_consents: list[Unread]
    rebuilds: Rebuilds
    quarantine: dict[str, int]


class Snapshot(msgspec.Struct):
    """The snapshot that was published last."""

    path: str
    published_at: str
    age_s: float
    bytes: int


class Different(msgspec.Struct):
    """A file that is not as it is in force."""

    space: str
    file: str
    change: str


class Contracts(msgspec.Struct):
    """How contracts/ stands to what is in force: digests by space, and for people ``lines``, none if all of it is in force."""

    in_force: dict[str, str]
    differs: list[Different]
    problems: list[str]
    lines: list[str]


class OverBudget(msgspec.Struct, frozen=True):
    """A limit of the budget that is passed while segments are live: of a ``tier`` or an ``owner``, in a space."""

    space: str
    of: str
    name: str
    measure: str
    most: int
    used: float | None


class Status(Totals):
    """The totals, whether a flow runs, and whether it does so, or would, ``compiled`` or ``interpreted``.

    ``files`` are those that are read no further, or end in the middle of a record. ``over_budget``: the limits of members that are passed.
    """

    running: bool
    form: str
    snapshot: Snapshot | None
    files: list[sources.FileRow]
    contracts: Contracts
    spaces: list[SpaceStatus]
    over_budget: list[OverBudget] = []


def status(settings: Settings) -> Status:
    """The totals of all spaces. Raises `NoState` before the first run."""
    with open_views(settings) as views:
        spaces = [msgspec.convert(view.status(), SpaceStatus) for view in views.values()]
        faulty, lags = sources.faulty(settings, views), sources.lags(settings, views)
        over = [
            OverBudget(space, one.limits.of, one.limits.name, one.measure, one.most, one.used)
            for space, view in views.items()
            for one in (members_over(view) if view.meta.digest else ())
        ]
    for one in spaces:
        for name, partition in one.partitions.items():
            partition.stopped |= any((each.space, each.partition, each.state) == (one.space, name, "stopped") for each in faulty)
            partition.lag_s = None if partition.finished else lag_s(partition.clock)
            partition.lag = lags.get((one.space, name), UNSET)
    return Status(
        **msgspec.structs.asdict(summed(spaces)),
        running=flow_is_running(settings),
        form=form_of_flow(settings),
        snapshot=_snapshot(settings),
        files=[each.row() for each in faulty],
        contracts=_contracts(in_force.standing(settings)),
        spaces=spaces,
        over_budget=over,
    )


def summed(spaces: list[SpaceStatus]) -> Totals:
    """Counts added up, and lists with the space in each row."""
    several = len(spaces) > 1
    clocks = [one.clock for one in spaces if one.clock]

    def named(space: str, name: str) -> str:
        return f"{space}/{name}" if several else name

    return Totals(
        **{key: sum(getattr(one, key) for one in spaces) for key in SUMS},
        clock=min(clocks) if clocks and len(clocks) == len(spaces) else None,
        partitions={named(one.space, name): found for one in spaces for name, found in one.partitions.items()},
        segments={named(one.space, name): size for one in spaces for name, size in one.segments.items()},
        stopped=[named(one.space, name) for one in spaces for name in one.stopped],
        broken=[msgspec.structs.replace(found, space=one.space) for one in spaces for found in one.broken],
        late=[msgspec.structs.replace(found, space=one.space) for one in spaces for found in one.late],
        unread_consents=[msgspec.structs.replace(found, space=one.space) for one in spaces for found in one.unread_consents],
        rebuilds=Rebuilds(*(sum(getattr(one.rebuilds, key) for one in spaces) for key in Rebuilds.__struct_fields__)),
        quarantine=_added(one.quarantine for one in spaces),
    )


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for key, count in one.items():
            total[key] = total.get(key, 0) + count
    return dict(sorted(total.items()))


def _contracts(standing: in_force.Standing) -> Contracts:
    differs = [Different(space, f"contracts/{path}", how) for space, files in standing.differs.items() for path, how in files]
    return Contracts(dict(standing.digests), differs, [str(one) for one in standing.problems], standing.lines())


def _snapshot(settings: Settings) -> Snapshot | None:
    path = snapshot_path(settings)
    if not path.exists():
        return None
    published = path.stat().st_mtime
    return Snapshot(str(path), _iso(published), round(time.time() - published, 1), path.stat().st_size)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def lag_s(clock: str | None) -> float | None:
    """How far a partition's newest event is behind the wall clock."""
    return None if clock is None else round(time.time() - datetime.fromisoformat(clock).timestamp(), 1)
