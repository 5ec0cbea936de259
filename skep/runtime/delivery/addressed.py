"""A destination as it is in force, with everything that is needed to tell it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from msgspec.structs import replace

from contracts.model.definitions import Definitions
from contracts.model.destinations import Destination
from contracts.text.secrets import named
from operators.activation.audience import Audience
from operators.activation.by_request import told_segments
from operators.activation.pace import Pace
from operators.activation.renderer import Renderer
from skep.runtime.delivery.books import Books
from skep.runtime.delivery.queue import DueRows


class AbsentSecret(Exception):  # noqa: N818 (an answer, not an error)
    """A secret that a destination names is not there."""


def revealed(name: str, root: Path) -> str:
    """The secret of a name, of the environment or of a file. Raises `AbsentSecret`."""
    if name.startswith("file:"):
        path = root / name.removeprefix("file:")
        try:
            return path.read_text().strip()
        except OSError as error:
            raise AbsentSecret(f"{path} cannot be read: {error.strerror}") from None
    found = os.environ.get(name)
    if not found:
        raise AbsentSecret(f"{name} is not set in the environment")
    return found


@dataclass(slots=True)
class Addressed:
    """``purposes``: of the segments that it is told of, each with its own purpose. ``mark`` stands for its file and its secrets.
    ``feed``: what it is told of
    changes as they are, in the place of all else. ``fits``: by call how many people went into a request lately, where more were tried."""

    to: Destination
    renderer: Renderer
    purposes: dict[str, str | None]
    mark: str
    pace: Pace
    queue: DueRows
    known: list[str]
    small: set[str]
    feed: Audience | None = None
    under_way: int = 0
    fits: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.to.name

    @property
    def tells_traits(self) -> bool:
        """Whether it is told of traits."""
        return self.to.traits is not None and "update" in self.renderer.calls

    def purpose(self, audience: str) -> str | None:
        """What must be granted to be told of for an audience."""
        return self.to.purpose or None if self.to.purpose is not None else self.purposes.get(audience)

    def most(self) -> dict[str, int]:
        """By call how many people a request holds."""
        return {call: min(self.renderer.most(call), self.fits.get(call, 1 << 30)) for call in self.renderer.calls}


def addressed(destination: Destination, definitions: Definitions, books: Books, root: Path, salt: str) -> Addressed:
    """A destination of these definitions. Raises `AbsentSecret`. ``salt`` keeps the mark from being guessed."""
    secrets = {name: revealed(name, root) for name in named(dict(destination.connection))}
    feed = Audience.of(destination, definitions) if destination.changes else None
    purposes = {} if feed is not None else {one.name: one.purpose for one in told_segments(destination, definitions)}
    mark = blake2b(repr((destination, sorted(secrets.items()))).encode(), digest_size=12, key=salt.encode()[:64]).hexdigest()
    pace = books.noted.pace(destination.name)
    if pace.stopped not in {"", mark}:
        pace = replace(pace, stopped="")
    renderer = Renderer(destination, lambda name: secrets[name])
    known = list(dict.fromkeys([*books.noted.known(destination.name), *purposes]))
    small = {*books.noted.small(destination.name)}
    return Addressed(destination, renderer, purposes, mark, pace, DueRows(destination.name, books), known, small, feed)
