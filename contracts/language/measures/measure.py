"""What a measure is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.language.features import Measured
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


@dataclass(frozen=True, slots=True)
class Measure:
    """``says``: in the catalog; ``means``: to editors; ``condition``: whether it stands beside `did`; ``trait``: its word in `traits.yaml`.

    ``counts``: a number of events or of values, which is kept no further than conditions ask. ``numeric``: of a property that is a
    number. ``limited``: `limit` says how much of it is kept.
    """

    name: definitions.Measure
    says: str
    means: str
    value: Value
    condition: bool = False
    trait: str = ""
    of_property: bool = True
    counts: bool = False
    numeric: bool = False
    limited: bool = False
    check: Check | None = None


def computed(schema: dict[str, Any], file: str = "", line: int = 0) -> Typed:
    """What is known of something that Skep computes itself; ``file`` and ``line`` say where it is asked for."""
    found = typed_at(Document(file, schema, line=line), ())
    return ANYTHING if found is None else found


def count(_typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    """What a number of events, or of different values, can be."""
    return computed({"type": "integer", "minimum": 0}, file, line)
