"""Changes of top-level names, which most are: written as the lines of one Python function, so that a document costs no calls.

Names and constants of files are handed to the function and never written into its text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from contracts.versions.upcasts.edits import ABSENT, Change, Refused

Document = dict[str, Any]
Fail = Callable[[int, Refused], NoReturn]


@dataclass(frozen=True)
class Lines:
    """Lines that change ``top``, the document's copy; ``{0}`` stands for the first operand. ``refuses``: they may raise `Refused`."""

    text: tuple[str, ...]
    operands: tuple[Any, ...]
    refuses: bool = False


def rename(pairs: list[tuple[str, str]]) -> Lines:
    """All at once, so that names can be swapped."""
    if len(pairs) == 1:
        return Lines(("if {0} in top:", "    top[{1}] = top.pop({0})"), pairs[0])
    text = [f"value_{number} = top.pop({{{2 * number}}}, ABSENT)" for number in range(len(pairs))]
    for number in range(len(pairs)):
        text += [f"if value_{number} is not ABSENT:", f"    top[{{{2 * number + 1}}}] = value_{number}"]
    return Lines(tuple(text), tuple(name for pair in pairs for name in pair))


def default(name: str, fresh: Callable[[], Any]) -> Lines:
    """A value that is made anew, where there is none."""
    return Lines(("if {0} not in top:", "    top[{0}] = {1}()"), (name, fresh))


def default_shared(name: str, value: Any) -> Lines:
    """A value that nobody can change, where there is none."""
    return Lines(("if {0} not in top:", "    top[{0}] = {1}"), (name, value))


def constant(name: str, fresh: Callable[[], Any]) -> Lines:
    """A value in the place of whatever there was."""
    return Lines(("top[{0}] = {1}()",), (name, fresh))


def converted(name: str, convert: Callable[[Any], Any]) -> Lines:
    """What is there and not null."""
    return Lines(("value = top.get({0})", "if value is not None:", "    top[{0}] = {1}(value)"), (name, convert), refuses=True)


def mapped(name: str, convert: Callable[[Any], Any]) -> Lines:
    """What is there, null as well; the answer ABSENT removes it."""
    put = ("    value = {1}(top[{0}])", "    if value is ABSENT:", "        del top[{0}]", "    else:", "        top[{0}] = value")
    text = ("if {0} in top:", *put)
    return Lines(text, (name, convert), refuses=True)


def dropped(name: str) -> Lines:
    """No value."""
    return Lines(("top.pop({0}, None)",), (name,))


def function(edits: Sequence[Lines | Change], fail: Fail) -> Callable[[Document], Document]:
    """What copies a document and changes the copy by these edits, in order; ``fail`` is told which one refused, and why."""
    generic = any(not isinstance(edit, Lines) for edit in edits)
    operands: list[Any] = []
    body = ["top = document.copy()", *(["owned = {id(top): top}"] if generic else []), "try:"]
    for number, edit in enumerate(edits):
        lines = edit if isinstance(edit, Lines) else Lines(("{0}(top, owned)",), (edit,), refuses=True)
        names = [f"operand_{len(operands) + at}" for at in range(len(lines.operands))]
        operands += lines.operands
        body += [f"    at = {number}"] if lines.refuses else []
        body += ["    " + line.format(*names) for line in lines.text]
    body += ["    return top", "except Refused as refused:", "    found = refused", "fail(at, found)"]
    arguments = ", ".join(f"operand_{number}" for number in range(len(operands)))
    source = f"def made({arguments}):\n    def upcast(document):\n" + "".join(f"        {line}\n" for line in body) + "    return upcast\n"
    space: dict[str, Any] = {"ABSENT": ABSENT, "Refused": Refused, "fail": fail}
    exec(source, space)
    made: Callable[[Document], Document] = space["made"](*operands)
    return made
