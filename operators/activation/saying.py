"""The language of values, compiled: what a destination's file says of people, events and changes becomes functions on them.

A function takes a `Scope` and gives JSON; None is absent. The grammar is `contracts.reading.said_values`, which has judged what comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any
from urllib.parse import quote

from contracts.reading.said_values import form_of
from contracts.text.templates import Hole, parts_of
from operators.activation.applied import applied, text_of
from operators.activation.kept_back import whole
from schemalogic.paths import Step, parse_path

Scope = Any
"""What paths begin with: ``event``, ``person``, ``change``, ``audience``, ``segment``, ``connection``, ``key``."""
Value = Callable[[Scope], Any]
REMOTE_ID = "{remote_id}"
"""Stands for an id that the vendor has yet to say."""
SECRET = "***"
STANDING_IN = frozenset({REMOTE_ID, SECRET})
"""What is shown in the place of something else."""
AS_IT_IS = "*{}"


_WHOLES = {("person", "traits"), ("event", "properties"), ("event", "traits")}
"""What goes without what is sensitive in it, if a file names all of it."""


class NotSayable(Exception):  # noqa: N818 (an answer, not an error)
    """Why somebody cannot be told of: a reason of "The last moment"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def compiled(spec: Any) -> Value:
    """What a value means."""
    if isinstance(spec, str):
        return path_value(spec)
    if isinstance(spec, Mapping):
        form = form_of(spec)
        return _object(spec) if form is None else _FORMS[form](spec)
    if isinstance(spec, list | tuple):
        return _list(spec)
    return lambda _scope: spec


def path_value(path: str) -> Value:
    """The value at a path; with ``[]`` in it the list of those."""
    steps = parse_path(path)
    if None in steps:
        at = steps.index(None)
        before, behind = steps[:at], steps[at + 1 :]
        return lambda scope: _each_at(_at(scope, before), behind)
    if steps in _WHOLES:
        holder, part = str(steps[0]), str(steps[1])
        return lambda scope: None if scope.get(holder) is None else whole(scope[holder], part)
    if len(steps) == 2 and isinstance(steps[0], str) and isinstance(steps[1], str):
        first, second = str(steps[0]), steps[1]

        def two(scope: Scope) -> Any:
            inside = scope.get(first)
            return inside.get(second) if isinstance(inside, Mapping) else None

        return two
    return lambda scope: _at(scope, steps)


def _at(value: Any, steps: tuple[Step, ...]) -> Any:
    for step in steps:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif type(value) is list and type(step) is int and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _each_at(value: Any, behind: tuple[Step, ...]) -> list[Any] | None:
    if isinstance(value, Mapping):
        value = list(value.values())
    if type(value) is not list:
        return None
    if None in behind:
        at = behind.index(None)
        nested = [_each_at(_at(item, behind[:at]), behind[at + 1 :]) for item in value]
        return [one for found in nested if found is not None for one in found]
    return [found for item in value if (found := _at(item, behind)) is not None]


def _object(spec: Mapping[str, Any]) -> Value:
    """An object without what is absent; one of which all is absent is so itself. A key may have paths in braces."""
    fixed = [(key, compiled(part)) for key, part in spec.items() if "{" not in key]
    made = [(template(key), compiled(part)) for key, part in spec.items() if "{" in key]

    def make(scope: Scope) -> Any:
        found = {key: value for key, part in fixed if (value := part(scope)) is not None}
        for key, part in made:
            value = part(scope)
            if value is not None:
                found[key(scope)] = value
        return found or None

    return make


def _list(spec: list[Any] | tuple[Any, ...]) -> Value:
    parts = [compiled(part) for part in spec]

    def make(scope: Scope) -> Any:
        return [value for part in parts if (value := part(scope)) is not None] or None

    return make


def _constant(spec: Mapping[str, Any]) -> Value:
    constant = spec["constant"]
    return lambda _scope: constant


def _from(spec: Mapping[str, Any]) -> Value:
    read = path_value(spec["from"])
    without = frozenset([spec["without"]] if isinstance(spec.get("without"), str) else spec.get("without", ()))
    keys, values = applied(spec.get("keys", ())), applied(spec.get("values", ()))
    if not without and "keys" not in spec and "values" not in spec:
        return _finished(read, spec)

    def fitted(scope: Scope) -> Any:
        value = read(scope)
        if not isinstance(value, Mapping):
            return value
        found: dict[str, Any] = {}
        for key, inside in value.items():
            if key not in without and inside is not None and (fit := values(inside)) is not None:
                found.setdefault(text_of(keys(key)), fit)
        return found or None

    return _finished(fitted, spec)


def _first(spec: Mapping[str, Any]) -> Value:
    parts = [compiled(part) for part in spec["first"]]
    return _finished(lambda scope: next((value for part in parts if (value := part(scope)) not in (None, "")), None), spec)


def _text(spec: Mapping[str, Any]) -> Value:
    return _finished(template(spec["text"]), spec)


def _finished(read: Value, spec: Mapping[str, Any]) -> Value:
    """What is read, with ``apply``, ``type``, ``default`` and ``required``."""
    apply = applied(spec["apply"]) if spec.get("apply") else None
    default, required, kind = spec.get("default"), spec.get("required", False), spec.get("type")
    typed = _TYPES[kind] if kind else None

    def make(scope: Scope) -> Any:
        value = read(scope)
        if value is not None and apply is not None:
            value = apply(value)
        if value is not None and typed is not None:
            value = typed(value)
        if value is None:
            value = default
        if required and value in (None, "", []):
            raise NotSayable("invalid")
        return value

    return make


def _cases(spec: Mapping[str, Any]) -> Value:
    read, of, otherwise = path_value(spec["cases"]["path"]), spec["cases"].get("of", {}), spec["cases"].get("otherwise")

    def make(scope: Scope) -> Any:
        value = read(scope)
        return otherwise if value is None else of.get(text_of(value), otherwise)

    return make


def _when(spec: Mapping[str, Any]) -> Value:
    asked, then = path_value(spec["when"]), compiled(spec["then"])
    otherwise = compiled(spec["otherwise"]) if "otherwise" in spec else lambda _scope: None
    return lambda scope: otherwise(scope) if asked(scope) in (None, "", [], {}) else then(scope)


def _merge(spec: Mapping[str, Any]) -> Value:
    parts = [compiled(part) for part in spec["merge"]]

    def make(scope: Scope) -> Any:
        found: dict[str, Any] = {}
        for part in parts:
            value = part(scope)
            if isinstance(value, Mapping):
                found.update(value)
        return found or None

    return make


def _each(spec: Mapping[str, Any]) -> Value:
    read, item = path_value(spec["each"]), compiled(spec["item"])

    def make(scope: Scope) -> Any:
        value = read(scope)
        if type(value) is not list:
            return None
        return [made for one in value if (made := item({**scope, "item": one})) is not None] or None

    return make


_FORMS: Mapping[str, Callable[[Mapping[str, Any]], Value]] = {
    "constant": _constant, "from": _from, "first": _first, "text": _text, "cases": _cases, "when": _when, "merge": _merge, "each": _each,
}  # fmt: skip


def _number(value: Any) -> Any:
    if type(value) in {int, float}:
        return value
    try:
        number = float(value) if type(value) is str else None
    except ValueError:
        return None
    if number is None or not isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _integer(value: Any) -> Any:
    if type(value) is str:
        text = value.strip()
        return int(text) if text.lstrip("-").isdecimal() else None
    number = _number(value)
    return int(number) if number is not None and float(number).is_integer() else None


def _boolean(value: Any) -> Any:
    if type(value) is bool:
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(text_of(value).strip().lower())


_TYPES: Mapping[str, Callable[[Any], Any]] = {"text": text_of, "number": _number, "integer": _integer, "boolean": _boolean}


def template(text: str) -> Callable[[Scope], str]:
    """A text with its paths filled in; what is absent is an empty text."""
    parts = [path_value(part.path) if isinstance(part, Hole) else part for part in parts_of(text)]

    def make(scope: Scope) -> str:
        return "".join(part if isinstance(part, str) else "" if (value := part(scope)) is None else text_of(value) for part in parts)

    return make


def segments(text: str) -> Callable[[Scope], str]:
    """A path of an address: what is in braces is percent-encoded as one segment. Somebody of whom a part is missing cannot be told of."""
    parts = [(part.path, path_value(part.path)) if isinstance(part, Hole) else part for part in parts_of(text)]

    def make(scope: Scope) -> str:
        found = ""
        for part in parts:
            if isinstance(part, str):
                found += part
                continue
            value = part[1](scope)
            if value is None or value == "":
                raise NotSayable("no_identifier" if part[0].startswith("person.") else "invalid")
            text = text_of(value)
            found += quote(text, safe=AS_IT_IS if text in STANDING_IN else "")
        return found

    return make
