"""A data folder that another version of Skep wrote: what it is, what it needs, and the steps that make it this version's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache

import msgspec

from operators import meta as meta_row
from operators.meta import Meta
from operators.people.meaning import MEANING
from operators.people.space import Space
from operators.validate import Validate
from skep.project.errors import CommandError
from skep.project.judging import tolerance
from skep.project.process import take_lock
from skep.project.settings import Settings
from skep.project.spaces import bundles, shard_path
from skep.project.work import work_of
from state.errors import NoState
from state.shard import FORMAT, SecondaryShard, Shard

OURS = int(FORMAT)
_ROW_A_MOMENT = 3
"""The format in which every moment has a row of its own, which is one form of a row of today's; all else is as in today's."""
_NARROW = 4
"""The format in which a person's row holds all traits, which is one form of a row of today's; all else is as in today's."""
_READ = frozenset({_ROW_A_MOMENT, _NARROW, OURS})
"""Formats of which this version reads what a space says of itself."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a space is stored; ``meaning`` and ``events`` are 0 where this version cannot read the format."""

    space: str
    format: int
    meaning: int
    events: int

    @property
    def fits(self) -> bool:
        """Whether this version works on it as it is."""
        return (self.format, self.meaning) == (OURS, MEANING)

    @property
    def is_newer(self) -> bool:
        """Whether a newer version than this one wrote it."""
        return self.format > OURS or (self.format == OURS and self.meaning > MEANING)

    def row(self) -> StandingRow:
        """The standing for programs."""
        steps = [step.name for step in needed(self)]
        return StandingRow(self.space, self.format, self.meaning, self.events, steps, self.fits, needs(self))


class StandingRow(msgspec.Struct, frozen=True):
    """How a space is stored, whether this version works on it, and what it needs, in names of steps and in words."""

    space: str
    format: int
    meaning: int
    events: int
    steps: list[str]
    fits: bool
    needs: str


@dataclass(frozen=True, slots=True)
class Step:
    """One way from an older data folder towards this version's.

    ``run`` may be killed at any moment and run again: until it has come to its end, ``applies`` says that it is still to do.
    """

    name: str
    what: str
    applies: Callable[[Standing], bool]
    run: Callable[[Settings, str], None]


def standing(settings: Settings, space: str) -> Standing:
    """How a space is stored. Raises `NoState` before the first run."""
    with closing(SecondaryShard(shard_path(settings, space), any_format=True)) as shard:
        written = shard.row("meta", b"format")
        if written is None:
            raise NoState(f"nothing has run here yet: {shard_path(settings, space)} holds nothing. Run `skep run --once` first.")
        read = int(written) in _READ
        row = shard.row("meta", meta_row.KEY) if read else None
        meta = Meta() if row is None else meta_row.decode(row)
        # Before definitions have taken effect there is nobody whom another meaning could have made.
        meaning = meta.meaning if meta.digest or not read else MEANING
        return Standing(space, int(written), meaning, meta.events)


def standings(settings: Settings, spaces: tuple[str, ...]) -> list[Standing]:
    """Those of the spaces that have run; raises `NoState` if there is none."""
    found: list[Standing] = []
    missing: NoState | None = None
    for space in spaces:
        try:
            found.append(standing(settings, space))
        except NoState as error:
            missing = error
    if not found and missing is not None:
        raise missing
    return found


def needed(found: Standing) -> list[Step]:
    """The steps that are still to do, in order."""
    return [step for step in STEPS if step.applies(found)]


def needs(found: Standing) -> str:
    """What has to be done, in words."""
    if found.fits:
        return "nothing"
    if found.is_newer:
        return "a newer version of Skep: this one would misread it"
    steps = needed(found)
    if not steps:
        return "the version that wrote it; or move the data folder away, and let the sources be read again"
    return "; ".join(f"{step.name}: {step.what}" for step in steps)


def migrate(settings: Settings, spaces: tuple[str, ...]) -> Iterator[tuple[str, Step]]:
    """Do what each space needs; gives each step before it is done. Refused while a flow runs."""
    with take_lock(settings):
        for found in standings(settings, spaces):
            if not found.fits and not needed(found):
                words = f"expected state of format {OURS} and meaning {MEANING}, found format {found.format}"
                raise CommandError(f"space {found.space}: {words} → needs {needs(found)}")
            for step in needed(found):
                yield found.space, step
                step.run(settings, found.space)


def _write_today(settings: Settings, name: str) -> None:
    """A commit of nothing but the format: what is stored is read as it is, and a version that cannot read what comes behind it refuses."""
    with closing(Shard(shard_path(settings, name), sync=True, formats={str(_ROW_A_MOMENT).encode(), str(_NARROW).encode()})) as shard:
        shard.commit()


def _compute_anew(settings: Settings, name: str) -> None:
    """Everybody by today's meaning, in one commit."""
    load = cache(bundles(settings))
    validate = Validate(load, {name: []}, **tolerance(settings))
    with closing(Shard(shard_path(settings, name), sync=settings.sync)) as shard:
        Space(work_of(settings, name, shard, load=load, judge=validate.judge)).renew()


STEPS = (
    Step(
        "rows",
        "events of one identifier that come together are stored in one row from now on; what is stored stays as it is",
        lambda found: found.format == _ROW_A_MOMENT,
        _write_today,
    ),
    Step(
        "traits",
        "traits of profiles that have many are stored beside their rows from now on; what is stored stays as it is",
        lambda found: found.format == _NARROW,
        _write_today,
    ),
    Step(
        "meaning",
        f"everybody is computed anew from the stored events, in one commit, by meaning {MEANING}; the change log tells the differences",
        lambda found: found.format in _READ and found.meaning < MEANING,
        _compute_anew,
    ),
)
"""In the order in which they are done. What changes how rows are stored comes before what computes people from them."""
