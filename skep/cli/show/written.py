"""A record as indented JSON, and where in it each value stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rich.cells import cell_len

from skep.answers.quarantine.faults import Path
from skep.answers.quarantine.framed import parts
from skep.project.terminal import visible, visible_json

WIDTH_MAX = 60
"""Columns that an underline takes at most."""
WHOLE_MAX = 20_000
"""Bytes of a record that is shown whole."""
BEGINNING = 2_000
"""Bytes that are shown of what cannot be looked into."""
LINES_MAX, ITEMS_MAX, TEXT_MAX = 300, 20, 500
"""Of a record that is not shown whole: lines (those on the way to what is wanted come on top), items of a list, characters of a text."""


class _Number(str):
    """A number as it is written: nothing is lost of it."""

    __slots__ = ()


class Written:
    """The lines of a record, numbers as they came; ``find`` says where a value stands. ValueError if the bytes are no JSON.

    With ``wanted``, the places that count, a long record is cut to a part that has them, whatever its size.
    """

    def __init__(self, raw: bytes, wanted: Iterable[Path] | None = None) -> None:
        cut = wanted is not None and len(raw) > WHOLE_MAX
        self._lines_max, self._items_max, self._text_max = (LINES_MAX, ITEMS_MAX, TEXT_MAX) if cut else (len(raw) + 1,) * 3
        self._ways = {path[:length] for path in wanted or () for length in range(len(path) + 1)}
        self.lines: list[str] = []
        self._places: dict[Path, tuple[int, int, int]] = {}
        try:
            body = json.loads(parts(raw)[1], parse_int=_Number, parse_float=_Number, parse_constant=_Number)
            self._write(body, (), "", "")
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    def find(self, path: Path) -> tuple[int, int, int]:
        """Line (from 0), first column and width of the value at a path, or of the nearest value around it that is there."""
        while path not in self._places:
            path = path[:-1]
        return self._places[path]

    def _write(self, value: Any, path: Path, key: str, end: str) -> None:
        indent = "  " * len(path)
        opening = indent + key
        if isinstance(value, (dict, list)) and value and (self._room or path in self._ways):
            first, last = "{}" if isinstance(value, dict) else "[]"
            self._place(path, len(indent), key + first)
            self.lines.append(opening + first)
            for name, item, more in self._items(value, path):
                if item is _LEFT_OUT:
                    self.lines.append(f"{indent}  … {name:,} more")
                else:
                    self._write(item, (*path, name), f"{self._text(name)}: " if isinstance(name, str) else "", "," if more else "")
            self.lines.append(indent + last + end)
        else:
            text = self._text(value)
            self._place(path, cell_len(opening), text)
            self.lines.append(opening + text + end)

    def _items(self, value: dict[str, Any] | list[Any], path: Path) -> Iterator[tuple[Any, Any, bool]]:
        """Names or numbers with the items that are shown, and whether more come; instead of others how many are left out."""
        skipped, last = 0, len(value) - 1
        for at, (name, item) in enumerate(value.items() if isinstance(value, dict) else enumerate(value)):
            if (at < self._items_max and self._room) or (*path, name) in self._ways:
                if skipped:
                    yield skipped, _LEFT_OUT, True
                skipped = 0
                yield name, item, at < last
            else:
                skipped += 1
        if skipped:
            yield skipped, _LEFT_OUT, False

    @property
    def _room(self) -> bool:
        return len(self.lines) < self._lines_max

    def _place(self, path: Path, column: int, text: str) -> None:
        self._places[path] = len(self.lines), column, min(max(cell_len(text), 1), WIDTH_MAX)

    def _text(self, value: Any) -> str:
        """A value on one line."""
        if isinstance(value, (dict, list)) and value:
            return "{…}" if isinstance(value, dict) else "[…]"
        text = str(value) if isinstance(value, _Number) else _json(value[: self._text_max] if isinstance(value, str) else value)
        if isinstance(value, str) and len(value) > self._text_max:
            return f"{text[: self._text_max]}… ({len(value):,} characters)"
        return text


_LEFT_OUT = object()


def pretty(raw: bytes) -> str:
    """The bytes as indented JSON if they are JSON, else as text."""
    try:
        return "\n".join(Written(raw).lines)
    except ValueError:
        return visible(raw.decode("utf-8", "backslashreplace"))


def beginning(raw: bytes) -> str:
    """The first of bytes that cannot be shown as JSON."""
    text = visible(raw[:BEGINNING].decode("utf-8", "backslashreplace"))
    return text + "…" if len(raw) > BEGINNING else text


def _json(value: Any) -> str:
    return visible_json(json.dumps(value, ensure_ascii=False))
