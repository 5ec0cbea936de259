"""The identifiers that are read out of a decoded event, normalised and without the blocked ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

import phonenumbers

from contracts.definitions import IdentityRules, Namespace
from contracts.numbers import micros, number_text
from contracts.paths import Step, parse_path

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


def _trim(text: str) -> str | None:
    return text.strip()


def _email(text: str) -> str | None:
    return unicodedata.normalize("NFKC", text.strip().lower())


def _phone(region: str) -> Callable[[str], str | None]:
    def normalize(text: str) -> str | None:
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            return None
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    return normalize


def _normalizer(namespace: Namespace) -> Callable[[str], str | None]:
    return {"trim": _trim, "email": _email, "phone": _phone(namespace.region)}[namespace.normalize]


class Values:
    """Normalises the values of one namespace and drops the blocked ones, remembering what came out."""

    def __init__(self, namespace: Namespace, rules: IdentityRules) -> None:
        self._normalize = _normalizer(namespace)
        self._blocked = rules.blocked_values
        self._patterns = [re.compile(pattern) for pattern in rules.blocked_patterns]
        self.cache: dict[str, str | None] = {}

    def of(self, value: object) -> str | None:
        """The normalised value; None if it is blocked, empty, too long or no text or number."""
        text = identifier_text(value)
        if text is None or len(text) > IDENTIFIER_MAX_BYTES:
            return None
        if text in self.cache:
            return self.cache[text]
        if len(self.cache) >= CACHE_MAX:
            self.cache.clear()
        normal = self.cache[text] = self._judge(text)
        return normal

    def _judge(self, text: str) -> str | None:
        normal = self._normalize(text)
        if not normal or normal in self._blocked or len(normal.encode()) > IDENTIFIER_MAX_BYTES:
            return None
        return None if any(pattern.search(normal) for pattern in self._patterns) else normal


class Identifiers:
    """Reads the identifiers of events by the rules of ``contracts/identity.yaml``."""

    def __init__(self, rules: IdentityRules) -> None:
        self._values = [Values(namespace, rules) for namespace in rules.namespaces]
        self._index = {namespace.name: at for at, namespace in enumerate(rules.namespaces)}
        plain: list[tuple[int, str, tuple[str, ...], Values]] = []
        nested: list[tuple[int, tuple[Step, ...], Values]] = []
        for at, namespace in enumerate(rules.namespaces):
            for path in namespace.paths:
                steps = parse_path(path)
                keys = tuple(step for step in steps if type(step) is str)
                if len(keys) == len(steps):
                    plain.append((at, keys[0], keys[1:], self._values[at]))
                else:
                    nested.append((at, steps, self._values[at]))
        self._plain, self._nested = plain, nested

    def normalize(self, namespace: str, value: object) -> tuple[int, str] | None:
        """``(index of the namespace, normalised value)`` of one named value; None if it is blocked or no such namespace."""
        at = self._index.get(namespace)
        text = None if at is None else self._values[at].of(value)
        return None if at is None or text is None else (at, text)

    def read(self, body: dict[str, Any]) -> tuple[tuple[int, str], ...]:
        """``(index of the namespace, normalised value)`` of an event's identifiers, in rank and without repeats."""
        found = []
        for at, first, rest, values in self._plain:
            value = body.get(first)
            if value is None:
                continue
            for key in rest:
                if type(value) is not dict:
                    value = None
                    break
                value = value.get(key)
            if value is None:
                continue
            text = values.cache.get(value) if type(value) is str else None
            if text is None:
                text = values.of(value)
                if text is None:
                    continue
            found.append((at, text))
        for at, steps, values in self._nested:
            texts = (values.of(value) for value in values_at(body, steps))
            found.extend((at, text) for text in texts if text is not None)
        if len(found) < 2:
            return tuple(found)
        return tuple(sorted(set(found)))
