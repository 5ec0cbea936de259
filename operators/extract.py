"""The identifiers that are read out of a decoded event, normalised and without the blocked ones."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

from contracts.model.definitions import IdentityRules, Namespace
from contracts.text.numbers import micros, number_text
from operators.blocked import Blocked
from operators.normalize import normalizer
from schemalogic.paths import Step, parse_path

IDENTIFIER_MAX_BYTES = 10_000
"""A longer identifier is dropped like a blocked one."""
CACHE_MAX = 100_000
"""Texts of a namespace whose normalised form is remembered; the cache is emptied when it is full."""
_WHOLE = 2.0**53
_SIX_PLACES = 2.0**33
"""Below this a double tells numbers of six places apart."""


def values_at(value: Any, steps: tuple[Step, ...]) -> Iterable[Any]:
    """The values that a path leads to: none, one, or with ``[]`` several."""
    for at, step in enumerate(steps):
        if step is None:
            items = value if type(value) is list else ()
            for item in items:
                yield from values_at(item, steps[at + 1 :])
            return
        if type(step) is str and type(value) is dict:
            value = value.get(step)
        elif type(step) is int and type(value) is list and step < len(value):
            value = value[step]
        else:
            return
    yield value


def identifier_text(value: object) -> str | None:
    """The text of an identifier's value; a number stands for its decimal text, other types for none.

    A float is none either where its neighbours would have the same text: it may be one of several numbers.
    """
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    number = micros(value)
    if number is None or not isinstance(value, float) or abs(value) >= (_WHOLE if value.is_integer() else _SIX_PLACES):
        return None
    text = number_text(number)
    return text if float(text) == value else None


def said_text(value: object) -> str | None:
    """The text of what may be an identifier's value by some rules; None if it is one by none."""
    text = identifier_text(value)
    return None if text is None or len(text) > IDENTIFIER_MAX_BYTES or _bytes(text) == inf else text


def _bytes(text: str) -> float:
    """Its length in UTF-8; of what cannot be written in it (half of a surrogate pair) infinite."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return inf


class Values:
    """Normalises the values of one namespace and drops the blocked ones, remembering what came out."""

    def __init__(self, namespace: Namespace, rules: IdentityRules, at: int = 0) -> None:
        """``at``: the position of the namespace."""
        self._normalize = normalizer(namespace)
        self._blocked = Blocked(rules, self._normalize, cased=namespace.normalize != "email")
        self._at = at
        self.cache: dict[str, Any] = {}
        """Text → what `pair` says of it."""

    def of(self, value: object) -> str | None:
        """The normalised value; None if it is blocked, empty, too long, no text or number, or not of the namespace's kind."""
        pair = self.pair(value)
        return None if pair is None else str(pair[1])

    def pair(self, value: object) -> Any:
        """``(position of the namespace, normalised value)``, or None. Of a value that is remembered it is one object each time."""
        text = identifier_text(value)
        if text is None or len(text) > IDENTIFIER_MAX_BYTES:
            return None
        if text in self.cache:
            return self.cache[text]
        if len(self.cache) >= CACHE_MAX:
            self.cache.clear()
        normal = self._judge(text)
        pair: Any = None if normal is None else (self._at, normal)
        self.cache[text] = pair
        return pair

    def _judge(self, text: str) -> str | None:
        normal = self._normalize(text)
        if not normal or _bytes(normal) > IDENTIFIER_MAX_BYTES or self._blocked.holds(text, normal):
            return None
        return normal


class Identifiers:
    """Reads the identifiers of events by the rules of ``contracts/identity.yaml``."""

    def __init__(self, rules: IdentityRules) -> None:
        self._values = [Values(namespace, rules, at) for at, namespace in enumerate(rules.namespaces)]
        self._index = {namespace.name: at for at, namespace in enumerate(rules.namespaces)}
        self._top: list[tuple[str, Values]] = []
        self._inside: dict[str, list[tuple[tuple[str, ...], Values]]] = {}
        """By a key of the event what is read of the object there: mostly there is none, or it is looked into once."""
        self._nested: list[tuple[tuple[Step, ...], Values]] = []
        for at, namespace in enumerate(rules.namespaces):
            for path in namespace.paths:
                steps = parse_path(path)
                keys = tuple(step for step in steps if type(step) is str)
                if len(keys) < len(steps):
                    self._nested.append((steps, self._values[at]))
                elif len(keys) > 1:
                    self._inside.setdefault(keys[0], []).append((keys[1:], self._values[at]))
                else:
                    self._top.append((keys[0], self._values[at]))

    def normalize(self, namespace: str, value: object) -> tuple[int, str] | None:
        """``(index of the namespace, normalised value)`` of one named value; None if it is blocked or no such namespace."""
        at = self._index.get(namespace)
        text = None if at is None else self._values[at].of(value)
        return None if at is None or text is None else (at, text)

    def read(self, body: dict[str, Any]) -> tuple[tuple[int, str], ...]:
        """``(index of the namespace, normalised value)`` of an event's identifiers, in rank and without repeats."""
        found: list[Any] = []
        for first, values in self._top:
            value = body.get(first)
            if value is not None:
                _add(found, value, values)
        for first, below in self._inside.items():
            inside = body.get(first)
            if type(inside) is not dict or not inside:
                continue
            for keys, values in below:
                value = inside.get(keys[0])
                for key in keys[1:]:
                    value = value.get(key) if type(value) is dict else None
                if value is not None:
                    _add(found, value, values)
        for steps, values in self._nested:
            pairs = map(values.pair, values_at(body, steps))
            found.extend(pair for pair in pairs if pair is not None)
        # Most events have one or two, in rank already.
        if len(found) < 2 or (len(found) == 2 and found[0] < found[1]):
            return tuple(found)
        return tuple(sorted(set(found)))


def _add(found: list[Any], value: object, values: Values) -> None:
    """Add an identifier unless it is none."""
    pair = values.cache.get(value) if type(value) is str else None
    if pair is None:
        pair = values.pair(value)
    if pair is not None:
        found.append(pair)
