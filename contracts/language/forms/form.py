"""What a form of conditions is, and what conditions may name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from contracts.language.features import Measured
from contracts.language.plain import Plainly
from contracts.model.definitions import Condition, Feature, Namespace
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.typed import Typed


@dataclass(slots=True)
class Surroundings:
    """What conditions may name."""

    measured: Measured
    purposes: tuple[str, ...] | None
    """The declared ones; None if consent.yaml cannot be read."""
    segments: frozenset[str]
    traits: dict[str, Typed] = field(default_factory=dict)
    """The traits of ``traits.yaml`` and what they can be."""
    approximate: dict[str, str] = field(default_factory=dict)
    """The traits that may be wrong, and by how much."""
    computed: frozenset[str] = frozenset()
    """Those of them that are not what identify calls write."""
    identify: bool = False
    """Whether the contract of these calls says which other traits there are."""
    call: Literal["identify", "group"] = "identify"
    """Which calls say the traits that ``trait`` names: of a person, or, inside of ``account``, of an account."""
    contradictions_ok: bool = False
    """Whether a segment may be one that nobody can be in."""
    timezone: str = "UTC"
    """Of the segment that is being read."""
    namespaces: dict[str, Namespace] | None = None
    """Those of identifiers, by name; None if identity.yaml cannot be read."""
    lists: frozenset[str] = frozenset()
    """The names of the files of ``lists/``."""
    of_account: Surroundings | None = None
    """What conditions on an account may name."""


Inner = Callable[[Reader, Tree, Surroundings], Condition | None]
"""How the conditions inside of one are read."""
Read = Callable[[Reader, Tree, dict[str, Tree], Surroundings, Inner], Condition | None]
"""(reader, the condition, its parts, surroundings, inner) → the condition, None if it is not one (the problems say why)"""


@dataclass(frozen=True, slots=True)
class Form:
    """``says``: a condition in the words of a message, given the features by key; None for what has other conditions in it."""

    read: Read
    says: Callable[[Any, dict[str, Feature]], str] | None = None
    tells: Callable[[Any, Plainly], str] | None = None
    """A condition as a clause of a plain sentence, behind ``those``: ``who did …``, ``whose … is …``. Every form has it."""
