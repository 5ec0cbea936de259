"""A property of the earliest, or the latest, event that has it."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.language.measures.measure import Measure
from schemalogic.typed import ANYTHING, Typed, either


def _one(typed: Mapping[str, Typed] | None, _file: str, _line: int) -> Typed:
    return either(typed.values()) if typed else ANYTHING


FIRST = Measure("first", "first", "this property of the earliest matching event", _one, trait="first")
LAST = Measure("last", "last", "this property of the latest matching event", _one, trait="last")
