"""A record as indented JSON, and where in it each value stands."""

from __future__ import annotations

import json
from typing import Any

from rich.cells import cell_len

from skep.quarantine.framed import parts

WIDTH_MAX = 60
"""Columns that an underline takes at most."""

Path = tuple[str | int, ...]


class _Number(str):
    """A number as it is written: nothing is lost of it."""

    __slots__ = ()


class Written:
    """The lines of a record, numbers as they came; ``find`` says where a value stands. ValueError if the bytes are no JSON."""

    def __init__(self, raw: bytes) -> None:
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
        if isinstance(value, (dict, list)) and value:
            first, last = "{}" if isinstance(value, dict) else "[]"
            self._place(path, len(indent), key + first)
            self.lines.append(opening + first)
            items: list[tuple[str | int, Any]] = list(value.items() if isinstance(value, dict) else enumerate(value))
            for at, (name, item) in enumerate(items, 1):
                before = f"{_text(name)}: " if isinstance(name, str) else ""
                self._write(item, (*path, name), before, "," if at < len(items) else "")
            self.lines.append(indent + last + end)
        else:
            text = str(value) if isinstance(value, _Number) else _text(value)
            self._place(path, cell_len(opening), text)
            self.lines.append(opening + text + end)

    def _place(self, path: Path, column: int, text: str) -> None:
        self._places[path] = len(self.lines), column, min(max(cell_len(text), 1), WIDTH_MAX)


def pretty(raw: bytes) -> str:
    """The bytes as indented JSON if they are JSON, else as text."""
    try:
        return "\n".join(Written(raw).lines)
    except ValueError:
        return raw.decode("utf-8", "backslashreplace")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
