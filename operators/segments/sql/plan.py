"""What the conditions of one query need, gathered while they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.model.definitions import Definitions


class Hidden(NamedTuple):
    """The namespaces of which the tables have hashes in the place of values, and what makes these: (namespace, value) → hash."""

    namespaces: frozenset[str]
    hashed: Callable[[str, str], str]


@dataclass
class Plan:
    """The relations that the conditions need so far: one a feature, computed trait or purpose, each ``(profile_id, value)``."""

    definitions: Definitions
    facts: dict[str, str] = field(default_factory=dict)
    hidden: Hidden | None = None
    """Of a snapshot in which personal values are hashes."""
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def column(self, kind: str, key: str, body: str) -> str:
        """The column of ``people`` that holds a fact."""
        name = self._names.setdefault((kind, key), f"{kind}_{len(self._names)}")
        self.facts[name] = body
        return name

    @property
    def keys(self) -> dict[str, str]:
        """What each column was named for: the key of a feature, the name of a trait or a purpose."""
        return {name: key for (_, key), name in self._names.items()}
