"""What a table of the snapshot is: rows, whose annotated fields are its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple, get_type_hints

from state.snapshot.literals import quote, quoted
from state.snapshot.personal import Hider

Space = Annotated[str, "VARCHAR", "The space (brand or region) that the row belongs to"]
Profile = Annotated[str, "VARCHAR", "The profile, as in table profiles"]
Session = Annotated[
    int | None,
    "INTEGER",
    "Session of the person, from 1 in its life; a silence longer than session_gap of identity.yaml begins one. NULL: no name, no session",
]


class Column(NamedTuple):
    """A column: its name, DuckDB's type, and its comment."""

    name: str
    type: str
    comment: str = ""


@cache
def columns(row: type) -> tuple[Column, ...]:
    """The columns that a row's fields are annotated with."""
    return tuple(Column(name.rstrip("_"), *hint.__metadata__) for name, hint in get_type_hints(row, include_extras=True).items())


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``given``: the rows that fill it, if those are not its own; ``insert``: the statement that puts their ``batch`` in.

    ``hide``: a row with its personal values hidden; None: nothing in it is personal.
    """

    name: str
    comment: str
    row: type
    hide: Callable[[Any, Hider], tuple[Any, ...]] | None = None
    given: type | None = None
    insert: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        return columns(self.row)

    def ddl(self) -> Iterator[str]:
        """The statements that make it empty, with its comments."""
        yield f"CREATE TABLE {self.name} ({', '.join(f'{quoted(one.name)} {one.type}' for one in self.columns)})"
        yield from comments("TABLE", self.name, self.comment, self.columns)


def comments(kind: str, name: str, comment: str, columns: Iterable[Column]) -> Iterator[str]:
    """The statements that comment a table or a view and its columns."""
    yield f"COMMENT ON {kind} {name} IS {quote(comment)}"
    yield from (f"COMMENT ON COLUMN {name}.{quoted(one.name)} IS {quote(one.comment)}" for one in columns)
