"""What stands on the snapshot's tables: views (`views/NAME.sql`), macros (`macros/NAME.sql`) and the parts these are made of
(`parts/NAME.sql`), one file each.

A file begins with comments: a macro's or part's with its name and arguments, then its sentence, then, of a macro, an example; a view's
with its sentence, then a line a column, ``name TYPE: comment``, in the order of the query. A query in brackets is a scalar macro's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files

from state.snapshot.literals import quote
from state.snapshot.table import Column, comments

_FILE = re.compile(r"((?:-- [^\n]*\n)+)(.*)", re.DOTALL)
_SIGNATURE = re.compile(r"\w+\((.*?)\)\n(.*?)((?:FROM|SELECT) .*)?", re.DOTALL)
_PARAMETERS = re.compile(r", (?=\w+(?: :=|,|$))")
_COLUMN = re.compile(r"(\w+) ([A-Z]+(?:\[\])?): (.+)")


@dataclass(frozen=True, slots=True)
class View:
    """A view: its columns, and the query that gives them in this order."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    query: str

    def ddl(self) -> Iterator[str]:
        yield f"CREATE VIEW {self.name} AS {self.query}"
        yield from comments("VIEW", self.name, self.comment, self.columns)


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a macro; ``default``: in SQL, empty of one that is needed."""

    name: str
    default: str


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro: what ``FROM name(arguments)`` gives, or, of a scalar one, the value of ``name(arguments)``; without ``example`` a part of
    others, which the snapshot does not tell of."""

    name: str
    arguments: str
    comment: str
    example: str
    query: str

    @property
    def is_scalar(self) -> bool:
        return self.query.startswith("(")

    @property
    def parameters(self) -> list[Parameter]:
        """Its arguments, in order."""
        parts = (part.partition(" := ") for part in _PARAMETERS.split(self.arguments) if part)
        return [Parameter(name, default) for name, _, default in parts]

    def ddl(self) -> Iterator[str]:
        table = "" if self.is_scalar else "TABLE "
        yield f"CREATE MACRO {self.name}({self.arguments}) AS {table}{self.query}"
        if self.example:
            yield f"COMMENT ON MACRO {table}{self.name} IS {quote(self.comment)}"


@cache
def views() -> tuple[View, ...]:
    """The views, by name."""
    return tuple(_view(name, head.splitlines(), query) for name, head, query in _read("views"))


def _view(name: str, head: list[str], query: str) -> View:
    columns = tuple(Column(*found.groups()) for line in head if (found := _COLUMN.fullmatch(line)))
    return View(name, " ".join(head[: len(head) - len(columns)]), columns, query)


def macros() -> tuple[Macro, ...]:
    """The macros that people ask."""
    return tuple(one for one in macros_and_parts() if one.example)


@cache
def macros_and_parts() -> tuple[Macro, ...]:
    """The macros and their parts, each behind those that it asks, which DuckDB wants to know when it is made."""
    found = {name: _macro(name, head, query) for folder in ("macros", "parts") for name, head, query in _read(folder)}
    asked = {name: [other for other in found if re.search(rf"\b{other}\(", one.query)] for name, one in found.items()}
    return tuple(found[name] for name in TopologicalSorter(asked).static_order())


def _macro(name: str, head: str, query: str) -> Macro:
    arguments, sentence, example = _whole(_SIGNATURE, head).groups()
    return Macro(name, " ".join(arguments.split()), " ".join(sentence.split()), " ".join((example or "").split()), query)


def _read(folder: str) -> Iterator[tuple[str, str, str]]:
    """The name of each file, its comments, and the query below them."""
    found = [file for file in files("state.snapshot").joinpath(folder).iterdir() if file.name.endswith(".sql")]
    for file in sorted(found, key=lambda one: one.name):
        head, query = _whole(_FILE, file.read_text(encoding="utf-8")).groups()
        yield file.name.removesuffix(".sql"), re.sub(r"(?m)^-- ", "", head), query.rstrip()


def _whole(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError(f"expected comments that begin as the other files' do, found {text[:80]!r}")
    return found
