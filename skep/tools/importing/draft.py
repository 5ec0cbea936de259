"""A segment that was read somewhere else, as YAML of ours with its notes as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from contracts.text.scalars import scalar

WIDTH = 120
"""Characters of a condition that stays on one line."""
MISSING = "missing"
"""The word of a condition that we have no words for: `skep check` refuses it, so that nobody puts half a segment in force."""
EVERYBODY = "36500d"
"""Whoever was seen within a hundred years."""
_PLAIN = re.compile(r"[\w$][\w$./*-]*(?: [\w$./*-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition: its keys, in which conditions may stand below ``all``, ``any`` and ``not``; and what is to be known of it."""

    body: dict[str, Any]
    notes: tuple[str, ...] = ()

    def noted(self, *notes: str) -> Clause:
        """The same, with more to be known."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *filter(None, notes)))))


@dataclass(frozen=True, slots=True)
class DraftedSegment:
    """A segment; ``notes`` are of the whole of it."""

    name: str
    title: str
    who: Clause
    notes: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many conditions have no words of ours."""
        return sum(MISSING in one.body for one in nodes(self.who))

    @property
    def told(self) -> list[str]:
        """All notes, each once."""
        return list(dict.fromkeys((*self.notes, *(note for one in nodes(self.who) for note in one.notes))))

    def text(self) -> str:
        """The file."""
        head = [f"# {note}" for note in self.notes]
        title = [f"title: {_scalar(self.title)}"] if self.title not in {"", self.name} else []
        return "\n".join([*head, f"segment: {self.name}", *title, "who:", *_lines(self.who, "  ")]) + "\n"


def nodes(node: Clause) -> Iterator[Clause]:
    """A condition and all in it."""
    yield node
    for value in node.body.values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Clause):
                yield from nodes(inner)


def every(parts: Iterable[Clause]) -> Clause:
    """All of them hold; one alone is itself."""
    found = list(parts)
    return found[0] if len(found) == 1 else Clause({"all": found})


def some(parts: Iterable[Clause]) -> Clause:
    """Some of them holds; one alone is itself."""
    found = list(parts)
    return found[0] if len(found) == 1 else Clause({"any": found})


def negated(node: Clause) -> Clause:
    """It does not hold."""
    return Clause({"not": node})


def missing(what: str, why: str) -> Clause:
    """A condition that cannot be said, with what stood there."""
    return Clause({MISSING: what}, (f"cannot be said here: {why}",))


def everybody() -> Clause:
    return Clause({"not": Clause({"inactive_for": EVERYBODY})}, ("everybody: whoever was seen within a hundred years",))


def named(text: str, taken: Iterable[str] = ()) -> str:
    """A name of ours of any text; a number behind it if it is taken."""
    base = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "segment"
    base = base if base[0].isalpha() else f"segment_{base}"
    known, name, number = set(taken), base, 2
    while name in known:
        name, number = f"{base}_{number}", number + 1
    return name


def duration(amount: float, unit: str) -> tuple[str, str]:
    """``30d``, and a note if the unit has no fixed length."""
    letter = {"second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w"}.get(unit.rstrip("s"))
    if letter is not None:
        return f"{amount:g}{letter}", ""
    days = {"month": 30, "year": 365}.get(unit.rstrip("s"))
    if days is None:
        return "", f"an unknown unit of time: {unit}"
    return f"{amount * days:g}d", f"a {unit.rstrip('s')} has no fixed length: counted as {days} days"


def seconds(amount: float) -> str:
    """A number of seconds in the largest unit that fits."""
    for letter, length in (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60)):
        if amount and amount % length == 0:
            return f"{amount / length:g}{letter}"
    return f"{amount:g}s"


def spellings(value: Any) -> list[Any]:
    """What compares texts alone means any spelling: a text that is a number or a boolean, and that itself."""
    if isinstance(value, bool):
        return [value, str(value).lower()]
    if isinstance(value, int | float):
        return [value, f"{value:g}"]
    if isinstance(value, str):
        meant = True if value == "true" else False if value == "false" else _number(value)
        return [value] if meant is None else [value, meant]
    return [value]


def _number(text: str) -> int | float | None:
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,15}\.\d{1,6}", text) else None


def number(value: Any) -> Any:
    """A text that is a number as one; all else as it is."""
    found = _number(value) if isinstance(value, str) else None
    return value if found is None else found


# ---- as YAML


def _lines(node: Clause, indent: str) -> Iterator[str]:
    """A condition in lines of its own."""
    yield from (f"{indent}# {note}" for note in node.notes)
    for key, value in node.body.items():
        if key in {"all", "any"} and isinstance(value, list):
            yield f"{indent}{key}:"
            for part in value:
                yield from (f"{indent}  # {note}" for note in part.notes)
                yield from _item(replace(part, notes=()), f"{indent}  ")
        elif isinstance(value, Clause) and (value.notes or _nested(value)):
            yield f"{indent}{key}:"
            yield from _lines(value, f"{indent}  ")
        else:
            yield f"{indent}{key}: {_flow(value)}"


def _item(node: Clause, indent: str) -> Iterator[str]:
    """A condition behind a dash: on one line, if it has no conditions in lines of their own."""
    inner = [value for value in node.body.values() if isinstance(value, Clause)]
    flow = _flow(node.body)
    if not _nested(node) and not any(one.notes or _nested(one) for one in inner) and len(indent) + len(flow) <= WIDTH:
        yield f"{indent}- {flow if len(node.body) > 1 else flow[1:-1]}"
        return
    first, *rest = _lines(node, f"{indent}  ")
    yield f"{indent}- {first.strip()}"
    yield from rest


def _nested(node: Clause) -> bool:
    """Whether conditions stand in a list below it."""
    return any(isinstance(value, list) and value and isinstance(value[0], Clause) for value in node.body.values())


def _flow(value: Any) -> str:
    if isinstance(value, Clause):
        return _flow(value.body)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A text as it is where it reads as itself, else in quotes."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and isinstance(scalar(value), str):
        return value
    return json.dumps(value, ensure_ascii=False)
