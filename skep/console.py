"""What the commands print: data on stdout, tables or JSON; everything else on stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import orjson
from rich.console import Console
from rich.table import Table

WIDE = 240
"""Columns of a table that goes into a file or a pipe."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
_FRACTION = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$")
err = Console(stderr=True, highlight=False, soft_wrap=True)


class CommandError(Exception):
    """What a command cannot do; the message says why, and what to do."""


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on stderr and leave."""
    for line in message.splitlines() or [""]:
        err.print(line, style="red", markup=False)
    raise SystemExit(code)


def json_line(value: Any) -> None:
    """One JSON value on a line of its own."""
    print_bytes(orjson.dumps(value, default=_json))


def _json(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def print_bytes(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")


def flush() -> None:
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> None:
    """A plain table; the columns named in ``right`` are numbers."""
    shown = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(cell(value) for value in row))
    with out.capture() as captured:
        out.print(shown)
    # Without the blanks with which a table fills its last column.
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.flush()


def cell(value: Any) -> str:
    """A value for people: thousands are marked, times stop at the second."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return _FRACTION.sub(r"\1Z", _json(value)).replace("[", r"\[")


@contextmanager
def spinner(text: str) -> Iterator[None]:
    """Shows that something is waited for, if a person watches."""
    if err.is_terminal:
        with err.status(text):
            yield
    else:
        yield


@contextmanager
def counting() -> Iterator[Callable[[str, int, int], None]]:
    """Gives what shows how far something long has come, if a person watches: (what is done, how many, of how many)."""
    if err.is_terminal:
        with err.status("…") as status:
            yield lambda what, done, of: status.update(f"{what}: {done:,} of {of:,}")
    else:
        yield lambda *_: None
