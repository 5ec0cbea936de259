"""What was asked for on the command line, as SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from skep.project.errors import CommandError
from state.snapshot.literals import quote
from state.snapshot.questions import Macro

LISTS = frozenset({"steps", "segment_names", "direct"})
"""Parameters that are lists of texts, with commas between them."""
NUMBERS = frozenset({"periods", "depth", "length", "tiles"})
FLAGS = frozenset({"rolling", "collapse"})
_WHOLE = re.compile(r"-?\d{1,18}")


def query_of(macro: Macro, given: Mapping[str, str]) -> str:
    """The question in SQL; ``given``: texts by the names of the macro's parameters. Raises `CommandError` for one that cannot be read."""
    needed = [_literal(one.name, given[one.name]) for one in macro.parameters if not one.default]
    named = [f"{one.name} := {_literal(one.name, given[one.name])}" for one in macro.parameters if one.default and one.name in given]
    called = f"{macro.name}({', '.join([*needed, *named])})"
    return f"SELECT {called} AS {macro.name}" if macro.is_scalar else f"FROM {called}"


def option(name: str) -> str:
    """The option of a parameter."""
    return f"--{name.replace('_', '-')}"


def kind(name: str) -> str:
    """What a parameter takes, as the help says it."""
    if name in LISTS:
        return "A,B,…"
    return {"brackets": "0,1,4", "rolling": "[true|false]", "collapse": "[true|false]"}.get(name, "N" if name in NUMBERS else "TEXT")


def _literal(name: str, text: str) -> str:
    if name in LISTS:
        return f"[{', '.join(quote(part.strip()) for part in text.split(','))}]"
    if name == "brackets":
        return f"[{', '.join(_number(name, part.strip()) for part in text.split(','))}]"
    read = _READ.get(name)
    return read(name, text) if read else quote(text)


def _number(name: str, text: str) -> str:
    if not _WHOLE.fullmatch(text):
        raise CommandError(f"{option(name)}: expected a whole number, found {text or 'nothing'} → write it in digits")
    return text


def _flag(name: str, text: str) -> str:
    if text not in {"true", "false"}:
        raise CommandError(f"{option(name)}: expected true or false, found {text or 'nothing'}")
    return text


_READ: Mapping[str, Callable[[str, str], str]] = {**dict.fromkeys(NUMBERS, _number), **dict.fromkeys(FLAGS, _flag)}
