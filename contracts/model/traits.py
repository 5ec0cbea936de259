"""What a line of ``traits.yaml`` or ``accounts.yaml`` means."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.model.expressions import Expression

FILES = {"identify": "traits.yaml", "group": "accounts.yaml"}
"""Where traits are computed, by the calls that say the others of the same people or accounts."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a trait beside what it is; it changes no value.

    ``purposes``, the only ones that it may serve, ``personal``, its class, and ``retention_us`` make stricter what the properties say
    that it comes from; None and empty texts say nothing. ``limit``: where the purposes are said, as ``contracts/<file>:<line>``.
    """

    title: str = ""
    description: str = ""
    owner: str = ""
    purposes: frozenset[str] | None = None
    personal: str = ""
    retention_us: int | None = None
    limit: str = ""
    searchable: bool = False


@dataclass(frozen=True, slots=True)
class Trait:
    """A trait of ``contracts/traits.yaml``. ``kind``: ``plain`` is what identify calls write, ``expression`` what is made of other traits,
    and gives a ``number`` or a ``boolean``; else the word of its measure."""

    name: str
    kind: str
    feature: str | None = None
    emit: bool = False
    expression: Expression | None = None
    gives: str = ""
    about: About = field(default=About(), compare=False)
