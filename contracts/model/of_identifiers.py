"""What conditions ask of the identifiers of a profile, but for their texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, eq=False)
class IdentifierList:
    """The identifiers of ``lists/<name>.csv`` as they are written there, each with its namespace; personal ones may be hashes, ``h_…``."""

    name: str
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sampled:
    """A share of all, chosen by the identifier of a namespace that was seen first (``by``; None: by the lead): the first 32 bits of the
    SHA-256 of ``seed:namespace:value`` lie below the share of 2³². ``percent`` is in 10⁻⁶."""

    percent: int
    seed: str
    by: str | None
    form: ClassVar[str] = "sample"
    parts: ClassVar[tuple[()]] = ()


@dataclass(frozen=True, slots=True)
class InList:
    """An identifier is in the list of this name."""

    list: str
    form: ClassVar[str] = "in_list"
    parts: ClassVar[tuple[()]] = ()
