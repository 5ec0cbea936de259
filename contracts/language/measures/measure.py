"""What a measure is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from contracts.language.features import Measured
from contracts.language.measures.beside import PROPERTY, PROPERTY_OR_TRUE, Option, Takes
from contracts.model import definitions
from contracts.model.definitions import Where
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.document import Document
from schemalogic.typed import ANYTHING, Typed, typed_at


class Check(Protocol):
    """A problem if a property cannot be measured, by what each event says of it."""

    def __call__(
        self, reader: Reader, at: Tree, path: str, typed: Mapping[str, Typed], measured: Measured, *, where: tuple[Where, ...]
    ) -> None: ...


Value = Callable[[Mapping[str, Typed] | None, str, int], Typed]
"""(what each event says of the property, file and line that ask): what the measure can be"""


Asks = Literal["", "beside", "inside", "any", "nothing"]
"""How a measure beside `did` is compared: not at all, by predicates on a number beside it or inside it, by any predicates beside it,
or by none, because it is true or not."""


@dataclass(frozen=True, slots=True)
class Measure:
    """``says``: in the catalog; ``means``: to editors; ``asks``: how it stands beside `did`; ``trait``: its word in `traits.yaml`.

    ``takes``: what stands behind the word. ``counts``: a number of events, of values or of days, which is kept no further than
    conditions ask, and is 0 of nothing. ``numeric``: of a property that is a number. ``options``: what else it may be told, each in
    a key of its own. ``window``: whether a window may stand beside it, ``session``: also that of the current session.
    ``passing``: its value changes at every moment.
    ``approximate``: by how much it may be wrong, in words.
    """

    name: definitions.Measure
    says: str
    means: str
    value: Value
    asks: Asks = ""
    trait: str = ""
    takes: Takes = PROPERTY
    counts: bool = False
    numeric: bool = False
    options: tuple[Option, ...] = ()
    window: bool = True
    session: bool = True
    passing: bool = False
    approximate: str = ""
    check: Check | None = None

    @property
    def of_property(self) -> bool:
        return self.takes is PROPERTY

    def reads(self, at: Tree) -> bool:
        """Whether it says of which property: of some measures it may be `true` in its place."""
        return self.takes is PROPERTY or (self.takes is PROPERTY_OR_TRUE and at.value is not True)

    @property
    def of_nothing(self) -> int | None:
        """What it is of no events: 0, or None, which is missing."""
        return 0 if self.counts or self.name in {"sum", "decayed_sum", "streak", "session_count"} else None


def computed(schema: dict[str, Any], file: str = "", line: int = 0) -> Typed:
    """What is known of something that Skep computes itself; ``file`` and ``line`` say where it is asked for."""
    found = typed_at(Document(file, schema, line=line), ())
    return ANYTHING if found is None else found


def count(_typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    """What a number of events, or of different values, can be."""
    return computed({"type": "integer", "minimum": 0}, file, line)


def number(_typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    """A number, of which no more is known."""
    return computed({"type": "number"}, file, line)


def spread(_typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    """How far numbers lie from each other."""
    return computed({"type": "number", "minimum": 0}, file, line)


def seconds(_typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    """What a time that has passed can be."""
    return computed({"type": "number", "minimum": 0}, file, line)


def truth(_typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    return computed({"type": "boolean"}, file, line)
