"""What the commands print: data on stdout, tables or JSON; everything else on stderr."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn

import orjson
from rich.console import Console
from rich.text import Text

from skep.cli.layout import Column, in_full, laid_out
from skep.project.terminal import cut, visible, visible_json, visible_line

WIDE = 240
"""Columns of a table that goes into a file or a pipe."""
SCREEN_MIN = 40
"""Columns of a screen that is narrower."""
_FRACTION = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$")


class Printer(Console):
    """Prints texts as they are, without markup, and nothing in them controls the terminal. A `Text` is made by `styled`."""

    def render_str(self, text: str, **how: Any) -> Text:
        return super().render_str(visible(text), **{**how, "markup": False, "emoji": False, "highlight": False})


out = Printer(soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Printer(stderr=True, soft_wrap=True)


def styled(text: str, style: str = "") -> Text:
    """A text with a style, of which nothing controls the terminal."""
    return Text(visible(text), style)


def headline(first: str, rest: str) -> None:
    """A line that begins in bold."""
    out.print(styled(first, "bold").append(visible(rest), "not bold"))


def mark(holds: bool) -> str:
    """A tick or a cross; a plus or a minus where the terminal has no letters for them."""
    tick = "✓" if holds else "✗"
    try:
        tick.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "+" if holds else "-"
    return tick


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong on stderr and leave."""
    err.print(message, style="red")
    raise SystemExit(code)


def json_line(value: Any) -> None:
    """One JSON value on a line of its own."""
    print_bytes(json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """JSON of an answer, or of whatever DuckDB or a contract can hold, also whole numbers beyond 64 bits."""
    try:
        return orjson.dumps(value, default=_number, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return json.dumps(value, default=_json, separators=(",", ":")).encode()


def _number(value: Any) -> Any:
    """A decimal is a number in JSON, to the digit."""
    return orjson.Fragment(_json(value)) if isinstance(value, Decimal) else _json(value)


def _json(value: Any) -> Any:
    if hasattr(value, "__struct_fields__"):
        return fields(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, orjson.Fragment):
        # An exact number, as it stands in JSON.
        return json.loads(orjson.dumps(value))
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def fields(answer: Any) -> dict[str, Any]:
    """What a `msgspec.Struct` holds, by the names that JSON has for it, in order; what is `msgspec.UNSET` is left out."""
    from msgspec import UNSET  # noqa: PLC0415 - whoever has an answer has it already

    names = zip(answer.__struct_fields__, answer.__struct_encode_fields__, strict=True)
    return {key: value for name, key in names if (value := getattr(answer, name)) is not UNSET}


def print_bytes(line: bytes) -> None:
    """A line of JSON or CSV, to the byte where no terminal reads it."""
    shown = visible_json(line.decode()).encode() if sys.stdout.isatty() else line
    sys.stdout.buffer.write(shown + b"\n")


def lines_as_they_are(text: str) -> None:
    """A text of several lines that something else is to read, to the byte where no terminal does."""
    for line in text.removesuffix("\n").split("\n"):
        print_bytes(line.encode())


def csv_row(fields: Sequence[str]) -> None:
    """A line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    print_bytes(line.getvalue().encode())


def flush() -> None:
    sys.stdout.flush()


def table(columns: Sequence[str | Column], rows: Iterable[Sequence[Any]]) -> None:
    """A table that fits the screen (`skep.cli.layout`); into a file or a pipe in full, unless COLUMNS says how wide it may be."""
    shown = [one if isinstance(one, Column) else Column(one) for one in columns]
    cells = [[cell(value) for value in row] for row in rows]
    width = screen_width()
    laid = in_full(shown, cells, WIDE) if width is None else laid_out(shown, cells, width)
    for line in laid.above:
        out.print(styled(line, "dim"))
    for line in laid.head:
        out.print(styled(line, "bold"))
    sys.stdout.writelines(f"{line}\n" for line in laid.lines)
    sys.stdout.flush()


def screen_width() -> int | None:
    """Columns of the screen; None where nobody looks at one."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return max(shutil.get_terminal_size().columns, SCREEN_MIN)
    return None


def cell(value: Any) -> str:
    """A value for people, on one line: thousands are marked, times stop at the second, a long text is cut."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return visible_line(cut(_FRACTION.sub(r"\1Z", str(_json(value)))))


@contextmanager
def spinner(text: str) -> Iterator[None]:
    """Shows that something is waited for, if a person watches."""
    if err.is_terminal:
        with _turning(text):
            yield
    else:
        yield


@contextmanager
def counting() -> Iterator[Callable[[str, int, int], None]]:
    """Gives what shows how far something long has come, if a person watches: (what is done, how many, of how many)."""
    if err.is_terminal:
        with _turning("…") as tell:
            yield lambda what, done, of: tell(f"{what}: {done:,} of {of:,}")
    else:
        yield lambda *_: None


@contextmanager
def _turning(text: str) -> Iterator[Callable[[str], None]]:
    """A line that moves on a terminal; gives what changes its text."""
    from rich.live import Live  # noqa: PLC0415 - few commands let somebody wait
    from rich.spinner import Spinner  # noqa: PLC0415

    turning = Spinner("dots", styled(text), style="status.spinner")
    # If rich redirected the streams, its own control sequences would come through the one that makes them visible.
    with Live(turning, console=err, refresh_per_second=12.5, transient=True, redirect_stdout=False, redirect_stderr=False):
        yield lambda now: turning.update(text=styled(now))
