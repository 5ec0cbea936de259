"""Personal values leave the shard as hashes: in identifiers, in events, in traits, in what lies in quarantine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

Step = str | int | None
"""A key, an index, or None: every item of a list, or every member of an object."""

_CACHE_MAX = 100_000
_PREFIX_MIN = 4
_ELLIPSES = ("…", "...")
_FRAME = 5
"""Bytes before the JSON of a record that a schema registry's producer frames; the first is zero."""
_HASH = re.compile(r"h_[0-9a-f]{32}")
_PARTS = frozenset({"properties", "traits", "context"})
"""What holds everything that is said in an event."""
_QUOTED = re.compile(r"""found .*|'[^']*'|"[^"]*\"""", re.DOTALL)


@dataclass(frozen=True)
class Personal:
    """What is personal, and how it is hidden.

    ``paths``: personal namespace → the parsed paths at which its values stand in an event's body.
    ``normalise(namespace, text)``: the normalised value, or None if it is no identifier.
    ``hashed(space, namespace, normalised)``: what stands for it outside, ``h_…``.
    ``traits``, ``account_traits``: computed traits of people and of accounts that show a personal value → the namespace.
    ``tagged``: event (for calls without a name their type) → what is personal in this event alone, as ``(namespace, path)``.
    """

    paths: Mapping[str, Sequence[tuple[Step, ...]]]
    normalise: Callable[[str, str], str | None]
    hashed: Callable[[str, str, str], str]
    traits: Mapping[str, str] = field(default_factory=dict)
    account_traits: Mapping[str, str] = field(default_factory=dict)
    tagged: Mapping[str, Sequence[tuple[str, tuple[Step, ...]]]] = field(default_factory=dict)


class Hider:
    """Hides the personal values of one space."""

    def __init__(self, personal: Personal, space: str) -> None:
        self._personal = personal
        self._space = space
        self._known: dict[tuple[str, str], str] = {}
        self._paths = [(namespace, path) for namespace, paths in personal.paths.items() for path in paths if path]
        self.roots: dict[str, list[tuple[str, tuple[Step, ...]]]] = {}
        """The personal paths by their first key, as ``(namespace, rest of the path)``."""
        for namespace, path in self._paths:
            if isinstance(path[0], str):
                self.roots.setdefault(path[0], []).append((namespace, path[1:]))
        self.tagged: dict[str, dict[str, list[tuple[str, tuple[Step, ...]]]]] = {}
        """By event the personal paths of its contract, by their first key."""
        for event, tagged in personal.tagged.items():
            for namespace, path in tagged:
                self.tagged.setdefault(event, {}).setdefault(str(path[0]), []).append((namespace, path[1:]))
        anywhere = {path: namespace for tagged in personal.tagged.values() for namespace, path in tagged}
        # A refused record may claim to be any event.
        self._paths += [(namespace, path) for path, namespace in anywhere.items()]
        self._names: dict[str, str] = {}
        """The last name of each path in small letters → the namespace."""
        for namespace, path in self._paths:
            told = path[1:] if path[0] in _PARTS else path
            name = next((step for step in reversed(told) if isinstance(step, str)), None)
            if name is not None:
                self._names.setdefault(name.casefold(), namespace)

        shown = [*self.roots.get("traits", ()), *self.tagged.get("identify", {}).get("traits", ())]
        self._whole = next((namespace for namespace, rest in shown if not rest), "")
        names = {str(rest[0]) if rest and rest[0] is not None else "" for _, rest in shown} | personal.traits.keys()
        self._told = tuple(b"" if name == "" else orjson.dumps(name) for name in names)
        """What stands in a change event that tells of a personal trait; the empty text is in all of them."""

    def identifier(self, namespace: str, value: str) -> str:
        """A normalised identifier as it may be seen."""
        if namespace not in self._personal.paths:
            return value
        return self._personal.hashed(self._space, namespace, value)

    def text(self, namespace: str, text: str) -> str:
        """The hash of a text as it stands in an event; equal to that of the identifier which it means."""
        key = (namespace, text)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _CACHE_MAX:
                self._known.clear()
            normal = self._personal.normalise(namespace, text)
            found = self._known[key] = self._personal.hashed(self._space, namespace, text if normal is None else normal)
        return found

    def value(self, namespace: str, value: object) -> object:
        """Any JSON value hidden; null stays null, and the items of a list are hidden one by one."""
        if value is None:
            return None
        if isinstance(value, list):
            return [self.value(namespace, item) for item in value]
        return self.text(namespace, value if isinstance(value, str) else dump_json(value))

    def below(self, root: str, value: Any, event: str = "") -> Any:
        """The value that stands under ``root`` (``properties``, ``userId`` …) of an event's body, hidden, in place where it can be."""
        for namespace, rest in (*self.roots.get(root, ()), *self.tagged.get(event, {}).get(root, ())):
            value = self._hide(value, rest, namespace, [])
        return value

    def traits(self, traits: dict[str, Any]) -> dict[str, Any]:
        """A profile's traits: those that identify calls set at personal paths, and computed ones that show such values.

        Where all that identify calls say is hidden, so are the names of traits.
        """
        if self._whole:
            return {self.text(self._whole, name): self.trait(name, value) for name, value in traits.items()}
        hidden: dict[str, Any] = self.below("traits", {**traits}, "identify")
        for name, namespace in self._personal.traits.items():
            if name in hidden:
                hidden[name] = self.value(namespace, traits[name])
        return hidden

    def account(self, traits: dict[str, Any]) -> dict[str, Any]:
        """An account's traits: those that group calls set at personal paths, and computed ones that show what is personal; their names,
        too, where all that is said is hidden."""
        shown = (*self.roots.get("traits", ()), *self.tagged.get("group", {}).get("traits", ()))
        whole = next((namespace for namespace, rest in shown if not rest), "")
        if whole:
            return {self.text(whole, name): self.value(whole, value) for name, value in traits.items()}
        hidden: dict[str, Any] = self.below("traits", {**traits}, "group")
        for name, namespace in self._personal.account_traits.items():
            if name in hidden:
                hidden[name] = self.value(namespace, traits[name])
        return hidden

    def trait(self, name: str, value: Any) -> Any:
        """The value of one trait; ``value`` is changed in place where it can be."""
        return self.value(self._whole, value) if self._whole else self.traits({name: value})[name]

    def record(self, raw: bytes, detail: str) -> tuple[bytes | None, str]:
        """A refused record and the words about it; the record is None if it cannot be read.

        What is wrong with it may be where it has its values, so a personal name hides what it names wherever it stands, in
        small or in large letters. Bytes in which nothing is personal stay as they are.
        """
        framed = raw[:1] == b"\0"
        seen: list[tuple[str, str]] = []
        try:
            body = self._hide_record(orjson.loads(raw[_FRAME:] if framed else raw), seen)
            hidden = dump_json(body).encode() if seen else raw
        except (TypeError, ValueError, RecursionError):
            # What it holds is not known, so no word of it is repeated.
            return None, _QUOTED.sub("…", detail)
        return None if framed else hidden, _without(detail, seen)

    def _hide_record(self, body: Any, seen: list[tuple[str, str]]) -> Any:
        if not isinstance(body, dict):
            raise TypeError("expected an object")
        for namespace, path in self._paths:
            body = self._hide(body, path, namespace, seen)
        return self._hide_names(body, seen)

    def change(self, body: bytes) -> bytes:
        """A change event as it may be seen: what was told of a trait before it counted as personal is hidden, too."""
        if not any(name in body for name in self._told):
            return body
        told = orjson.loads(body)
        evidence = told.get("evidence") or {}
        if told.get("type") == "profile.updated":
            for holder in (told, evidence):
                holder["value"] = self._once(told["trait"], holder.get("value"))
        elif told.get("type") == "identity.confidence":
            evidence["traits"] = {name: self._once(name, value) for name, value in evidence.get("traits", {}).items()}
        return dump_json(told).encode()

    def names(self, event: str, counted: dict[str, Any]) -> dict[str, Any]:
        """Figures by the names of properties; the names are hidden where all that an event says is."""
        whole = [name for paths in self.tagged.get(event, {}).values() for name, rest in paths if not rest]
        return {self.text(whole[0], name): figure for name, figure in counted.items()} if whole else counted

    def _once(self, name: str, value: Any) -> Any:
        return value if _is_hidden(value) else self.trait(name, value)

    def _hide_names(self, value: Any, seen: list[tuple[str, str]]) -> Any:
        if isinstance(value, list):
            return [self._hide_names(item, seen) for item in value]
        for name, inner in value.items() if isinstance(value, dict) else ():
            namespace = self._names.get(name.casefold())
            if namespace is None:
                value[name] = self._hide_names(inner, seen)
            elif not _is_hidden(inner):
                value[name] = self._hide(inner, (), namespace, seen)
        return value

    def _hide(self, value: Any, path: tuple[Step, ...], namespace: str, seen: list[tuple[str, str]]) -> Any:
        if not path:
            hidden = self.value(namespace, value)
            seen.extend(_texts(value, hidden))
            return hidden
        step, rest = path[0], path[1:]
        if step is None and isinstance(value, list):
            return [self._hide(item, rest, namespace, seen) for item in value]
        if step is None and isinstance(value, dict):
            return {name: self._hide(item, rest, namespace, seen) for name, item in value.items()}
        if _leads_on(value, step):
            value[step] = self._hide(value[step], rest, namespace, seen)
        return value


def _is_hidden(value: object) -> bool:
    """Whether nothing is left to hide of a value."""
    if isinstance(value, list):
        return all(map(_is_hidden, value))
    return value is None or (isinstance(value, str) and _HASH.fullmatch(value) is not None)


def _leads_on(value: Any, step: Step) -> bool:
    if isinstance(step, str):
        return isinstance(value, dict) and step in value
    return step is not None and isinstance(value, list) and step < len(value)


def dump_json(value: object) -> str:
    """JSON text; integers beyond 64 bits are no obstacle."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _texts(value: object, hidden: object) -> list[tuple[str, str]]:
    if isinstance(value, list) and isinstance(hidden, list):
        return [pair for item, other in zip(value, hidden, strict=True) for pair in _texts(item, other)]
    if value is None or not isinstance(hidden, str):
        return []
    if isinstance(value, dict | list):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        return [(dump_json(value), hidden), (repr(value), hidden)] + [pair for part in parts for pair in _texts(part, hidden)]
    return [(value, hidden)] if isinstance(value, str) else [(dump_json(value), hidden), (repr(value), hidden)]


def _without(detail: str, seen: list[tuple[str, str]]) -> str:
    """The detail with each hidden text replaced, also where it was cut off."""
    for text, hidden in sorted(set(seen), key=lambda pair: (-len(pair[0]), pair)):
        for form in {text, repr(text)[1:-1], dump_json(text)[1:-1]} - {""}:
            if form[:_PREFIX_MIN] not in detail:
                continue
            detail = re.sub(_whole(form), hidden, detail)
            for end in _ELLIPSES:
                if end in detail:
                    detail = _without_beginnings(detail, form, end, hidden)
            detail = _without_beginnings(detail + "\0", form, "\0", hidden + "\0").removesuffix("\0")
    return detail


def _whole(form: str) -> str:
    """The pattern of a text that is no part of a longer word."""
    before, after = (re.match(r"\w", end) for end in (form[0], form[-1]))
    return (r"(?<!\w)" if before else "") + re.escape(form) + (r"(?!\w)" if after else "")


def _without_beginnings(detail: str, form: str, end: str, hidden: str) -> str:
    for length in range(min(len(form) - 1, len(detail)), _PREFIX_MIN - 1, -1):
        detail = detail.replace(form[:length] + end, hidden)
    return detail
