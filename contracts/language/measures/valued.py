"""Values of a property: of the earliest or the latest event, the newest, the most frequent."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.language.measures.beside import LIMIT, TRUE, WEIGHTS, K
from contracts.language.measures.measure import Measure, truth
from schemalogic.typed import ANYTHING, Typed, either, list_of


def _one(typed: Mapping[str, Typed] | None, _file: str, _line: int) -> Typed:
    return either(typed.values()) if typed else ANYTHING


def _values(typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    return list_of((typed or {}).values(), file, line)


def _any(_typed: Mapping[str, Typed] | None, _file: str, _line: int) -> Typed:
    return ANYTHING


FIRST = Measure("first", "first", "this property of the earliest matching event", _one, asks="any", trait="first")
LAST = Measure("last", "last", "this property of the latest matching event", _one, asks="any", trait="last")
SET = Measure("set", "different values of", "the different values of this property, the newest", _values, trait="set", options=(LIMIT,))
LIST = Measure("list", "values of", "the values of this property in the order of their events, the newest", _values, trait="list",
               options=(LIMIT,))  # fmt: skip
TOP = Measure("top", "most frequent", "the most frequent value of this property; of equal ones the first by its text", _any, trait="top",
              options=(K, WEIGHTS))  # fmt: skip
BY_SOURCE = Measure("by_source", "of the first source that has one", "this trait of the first source that has one", _one, window=False)
LATEST = Measure(
    "latest", "whether the latest is such", "the latest event of that name satisfies `where`", truth, asks="nothing", takes=TRUE
)
FIRST_TIME = Measure("first_time", "whether the first ever is in the window", "the earliest match ever lies in the window", truth,
                     asks="nothing", takes=TRUE, session=False)  # fmt: skip
