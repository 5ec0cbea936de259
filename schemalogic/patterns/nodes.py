"""What a pattern is made of: the tree that ``syntax.parse`` gives."""

from __future__ import annotations

from dataclasses import dataclass

from schemalogic.patterns.charset import CharSet


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; without parts it is the empty text."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``low`` to ``high`` times, without end if ``high`` is None. Laziness matters only to engines that backtrack."""

    node: Node
    low: int
    high: int | None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group; numbers begin at 1."""

    node: Node
    number: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """``^``: the begin of the text."""


@dataclass(frozen=True, slots=True)
class End:
    """``$``: the very end of the text."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """``\\b``, or ``\\B`` if negated."""

    negated: bool


@dataclass(frozen=True, slots=True)
class Look:
    """A lookahead, or a lookbehind."""

    node: Node
    ahead: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Back:
    """A backreference to a group."""

    number: int


Node = Chars | Sequence | Choice | Repeat | Group | Start | End | Boundary | Look | Back
EMPTY = Sequence()


class PatternError(ValueError):
    """A text that is no pattern; ``position`` is the offset of the character in question, ``path`` where the pattern stands in a schema."""

    def __init__(self, message: str, position: int = 0, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.position, self.path = message, position, path
