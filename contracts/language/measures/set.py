"""The different values of a property, no more than the newest of them."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.language.measures.measure import Measure
from schemalogic.typed import Typed, list_of


def _values(typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    return list_of((typed or {}).values(), file, line)


SET = Measure("set", "different values of", "the different values of this property", _values, trait="set", limited=True)
