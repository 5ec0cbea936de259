"""What stands on the snapshot's tables: views (`views/NAME.sql`) and table macros (`macros/NAME.sql`), one file each.

A file begins with comments: a macro's with its name and arguments, then its sentence; a view's with its sentence, then a line a column,
``name TYPE: comment``, in the order of the query.
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
_SIGNATURE = re.compile(r"\w+\((.*?)\)\n(.*)", re.DOTALL)
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
class Macro:
    """A table macro: what ``FROM name(arguments)`` gives."""

    name: str
    arguments: str
    comment: str
    query: str

    def ddl(self) -> Iterator[str]:
        yield f"CREATE MACRO {self.name}({self.arguments}) AS TABLE {self.query}"
        yield f"COMMENT ON MACRO TABLE {self.name} IS {quote(self.comment)}"


@cache
def views() -> tuple[View, ...]:
    """The views, by name."""
    return tuple(_view(name, head.splitlines(), query) for name, head, query in _read("views"))


def _view(name: str, head: list[str], query: str) -> View:
    columns = tuple(Column(*found.groups()) for line in head if (found := _COLUMN.fullmatch(line)))
    return View(name, " ".join(head[: len(head) - len(columns)]), columns, query)


@cache
def macros() -> tuple[Macro, ...]:
    """The macros, each behind those that it asks, which DuckDB wants to know when it is made."""
    found = {name: _macro(name, head, query) for name, head, query in _read("macros")}
    asked = {name: [other for other in found if re.search(rf"\b{other}\(", one.query)] for name, one in found.items()}
    return tuple(found[name] for name in TopologicalSorter(asked).static_order())


def _macro(name: str, head: str, query: str) -> Macro:
    arguments, sentence = _whole(_SIGNATURE, head).groups()
    return Macro(name, " ".join(arguments.split()), " ".join(sentence.split()), query)


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
