"""How a table fits a screen: what says nothing is left out, what is long is shortened, and what still does not fit becomes records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size

from skep.project.terminal import ID_MIN

Kind = Literal["word", "number", "text", "figure", "id", "time"]
Row = list[str]

GAP = "  "
TEXT_MIN = 24
"""Columns to which a text may be wrapped at least, if its words allow it: narrower ones would be folded into stumps."""
COLUMNS_MIN = 3
"""Columns that are left at least where some say the same in every row: in fewer, that is what the table is about."""
LINES_MAX = 4
"""Lines into which a short text is wrapped in less than that."""
NOTHING = frozenset({"", "–"})
YEAR, DAY, MINUTE, SECOND = 4, 10, 16, 19
"""Characters of an ISO 8601 time up to there."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SHORTER = ((SECOND, True), (MINUTE, True), (SECOND, False), (MINUTE, False), (DAY, False))
"""Where times end, and whether every word stays whole: the seconds go before an id is broken, the hours do not."""
_PIECE = re.compile(r"[^\s/,:;=&?]*[/,:;=&?]*")


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name. A ``text`` may be wrapped, an ``id`` shortened to a prefix, a ``time`` (ISO 8601, UTC) to what differs.

    A ``number`` stands on the right; so does a ``figure``, a number and words, which may be wrapped.
    """

    name: str
    kind: Kind = "word"


def number(name: str) -> Column:
    """A column of numbers."""
    return Column(name, "number")


def figure(name: str) -> Column:
    """A column of numbers with words behind them."""
    return Column(name, "figure")


def prose(name: str) -> Column:
    """A column that is wrapped where the table is too wide."""
    return Column(name, "text")


def ident(name: str) -> Column:
    """A column of ids, of which a prefix tells one from another."""
    return Column(name, "id")


def moment(name: str) -> Column:
    """A column of times."""
    return Column(name, "time")


@dataclass(frozen=True, slots=True)
class Laid:
    """What to print: lines above the table, the head (empty for records), the table."""

    above: list[str]
    head: list[str]
    lines: list[str]


def laid_out(columns: Sequence[Column], rows: list[Row], width: int) -> Laid:
    """A table of at most ``width`` columns of a screen, or records, one field a line."""
    above: list[str] = []
    columns, rows = _telling(columns, rows, above)
    start = _same_start(columns, rows, above)
    whole = _times(columns, rows, start, SECOND)
    widths = _widths(columns, whole, whole_heads=True)
    if _total(widths) <= width:
        return _table(columns, whole, widths, above)
    shortened = _short_ids(columns, rows)
    # One row alone is read as a record: nothing beside it tells what was cut off.
    for end, unbroken in _SHORTER if len(rows) > 1 else ():
        shorter = _times(columns, shortened, start, end)
        wrapped_widths = _wrapped_widths(columns, shorter, width, unbroken=unbroken) if end > start else None
        if wrapped_widths is not None:
            return _table(columns, shorter, wrapped_widths, above)
    return Laid(above, [], _records(columns, whole, width))


def in_full(columns: Sequence[Column], rows: list[Row], width: int) -> Laid:
    """The same columns whatever they hold, nothing shortened; texts are wrapped where they go beyond ``width``."""
    widths = _widths(columns, rows, whole_heads=True)
    if _total(widths) > width:
        widths = _wrapped_widths(columns, rows, width) or widths
    return _table(columns, rows, widths, [])


def _telling(columns: Sequence[Column], rows: list[Row], above: list[str]) -> tuple[Sequence[Column], list[Row]]:
    """Without the columns that are empty, and those that say the same in every row, which is said once."""
    kept = [at for at in range(len(columns)) if not rows or any(row[at] not in NOTHING for row in rows)]
    same = [at for at in kept if len(rows) > 1 and len({row[at] for row in rows}) == 1 and columns[at].name]
    if same and len(kept) - len(same) >= COLUMNS_MIN:
        above.append("every row: " + ", ".join(f"{columns[at].name} {rows[0][at]}" for at in same))
        kept = [at for at in kept if at not in same]
    return [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _cells_of(columns: Sequence[Column], rows: list[Row], kind: Kind) -> set[str]:
    places = [at for at, column in enumerate(columns) if column.kind == kind]
    return {row[at] for row in rows for at in places} - NOTHING


def _each(columns: Sequence[Column], rows: list[Row], kind: Kind, change: Callable[[str], str]) -> list[Row]:
    return [
        [change(cell) if column.kind == kind and cell not in NOTHING else cell for column, cell in zip(columns, row, strict=True)]
        for row in rows
    ]


def _same_start(columns: Sequence[Column], rows: list[Row], above: list[str]) -> int:
    """How many characters all times begin with: those of the day or of the year, which are said once."""
    found = _cells_of(columns, rows, "time")
    if len(found) < 2 or not all(map(_TIME.fullmatch, found)):
        return 0
    start = next((length for length in (DAY + 1, YEAR + 1) if len({one[:length] for one in found}) == 1), 0)
    if start:
        above.append(f"times of {next(iter(found))[: start - 1]}, UTC")
    return start


def _times(columns: Sequence[Column], rows: list[Row], start: int, end: int) -> list[Row]:
    """Times from one character to another, without seconds where all of them are 0."""
    found = _cells_of(columns, rows, "time")
    if not all(map(_TIME.fullmatch, found)) or (start == 0 and end == SECOND):
        return rows
    if all(one[MINUTE:] == ":00Z" for one in found):
        end = min(end, MINUTE)
    return _each(columns, rows, "time", lambda cell: cell[start:end].replace("T", " "))


def _short_ids(columns: Sequence[Column], rows: list[Row]) -> list[Row]:
    """Ids as short as they can be and still be told apart, all of one length."""
    found = _cells_of(columns, rows, "id")
    length = ID_MIN
    while len({one[:length] for one in found}) < len(found):
        length += 1
    return _each(columns, rows, "id", lambda cell: cell[:length])


def _widths(columns: Sequence[Column], rows: list[Row], *, whole_heads: bool) -> list[int]:
    """What each column needs; a head may be broken between its words."""
    return [max([_head_width(column.name, whole=whole_heads), *(cell_len(row[at]) for row in rows)]) for at, column in enumerate(columns)]


def _head_width(name: str, *, whole: bool) -> int:
    return cell_len(name) if whole else max(map(cell_len, name.split()), default=0)


def _total(widths: Iterable[int]) -> int:
    widths = list(widths)
    return sum(widths) + len(GAP) * max(len(widths) - 1, 0)


def _wrapped_widths(columns: Sequence[Column], rows: list[Row], width: int, *, unbroken: bool = False) -> list[int] | None:
    """The widths with texts as wide as there is room for; None where that is too little. ``unbroken``: for their longest words, too."""
    widths = _widths(columns, rows, whole_heads=False)
    least = {
        at: _least(column, [row[at] for row in rows], unbroken=unbroken)
        for at, column in enumerate(columns)
        if column.kind in {"text", "figure"}
    }
    over = _total(widths) - width
    while over > 0:
        wide = [at for at in least if widths[at] > least[at]]
        if not wide:
            return None
        widest = max(wide, key=lambda at: widths[at])
        # Down to the next widest, so that the narrow ones stay whole.
        floor = max([least[widest], *(widths[at] for at in least if widths[at] < widths[widest])])
        taken = min(over, widths[widest] - floor)
        widths[widest] -= taken
        over -= taken
    return widths


def _least(column: Column, cells: list[str], *, unbroken: bool) -> int:
    """How narrow a text may become: as its words are, and not so that a short one is higher than a few lines."""
    longest = max(map(cell_len, cells), default=0)
    word = max((cell_len(word) for cell in cells for word in cell.split()), default=0)
    piece = max((cell_len(piece) for cell in cells for piece in _PIECE.findall(cell)), default=0) if unbroken else 0
    return max(_head_width(column.name, whole=False), min(TEXT_MIN, max(word, -(-longest // LINES_MAX))), piece)


def _table(columns: Sequence[Column], rows: list[Row], widths: list[int], above: list[str]) -> Laid:
    head = _lines(columns, [column.name for column in columns], widths, bottom=True) if any(column.name for column in columns) else []
    return Laid(above, head, [line for row in rows for line in _lines(columns, row, widths)])


def _lines(columns: Sequence[Column], row: Row, widths: list[int], *, bottom: bool = False) -> list[str]:
    """The lines of one row; ``bottom``: what is shorter stands on the last of them."""
    parts = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, parts), default=0)
    parts = [[""] * (height - len(part)) + part if bottom else part + [""] * (height - len(part)) for part in parts]
    return [GAP.join(map(_placed, columns, line, widths)).rstrip() for line in zip(*parts, strict=True)]


def _placed(column: Column, cell: str, width: int) -> str:
    return " " * (width - cell_len(cell)) + cell if column.kind in {"number", "figure"} else set_cell_size(cell, width)


def _records(columns: Sequence[Column], rows: list[Row], width: int) -> list[str]:
    """A line for each field that is there, and an empty line between two rows."""
    names = max(cell_len(column.name) for column in columns)
    lines: list[str] = []
    for row in rows:
        lines += [""] if lines else []
        for column, cell in zip(columns, row, strict=True):
            if cell not in NOTHING:
                first, *rest = wrapped(cell, max(width - names - len(GAP), TEXT_MIN))
                lines.append(f"{set_cell_size(column.name, names)}{GAP}{first}")
                lines += [f"{' ' * names}{GAP}{line}" for line in rest]
    return lines


def wrapped(said: str, width: int) -> list[str]:
    """A text in lines of at most ``width``: broken between words, a long word behind a sign such as ``/``, and else where it must be."""
    if cell_len(said) <= width:
        return [said]
    lines = [""]
    for word in re.findall(r"\s*\S+", said):
        if cell_len(lines[-1]) + cell_len(word) <= width:
            lines[-1] += word
            continue
        lines.append("")
        for piece in _folded(word.strip(), width):
            if cell_len(lines[-1]) + cell_len(piece) > width:
                lines.append("")
            lines[-1] += piece
    return [line.rstrip() for line in lines if line]


def _folded(word: str, width: int) -> list[str]:
    """A word in pieces that are no longer than a line: itself, if it is not."""
    pieces: list[str] = []
    for piece in filter(None, _PIECE.findall(word)) if cell_len(word) > width else [word]:
        rest = piece
        while cell_len(rest) > width:
            cut = next(at for at in range(len(rest), 0, -1) if cell_len(rest[:at]) <= width)
            pieces.append(rest[:cut])
            rest = rest[cut:]
        pieces.append(rest)
    return pieces
