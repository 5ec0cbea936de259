"""An answer for people: a table, as wide as the terminal; records below each other where the columns do not fit; lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from skep.cli.console import err, out, spinner, styled
from skep.cli.sql.forms import texts_sql
from skep.cli.sql.output import put
from skep.cli.sql.session import Answer
from skep.project.terminal import visible_line

ROWS = 40
"""Rows of a table on a terminal."""
RECORDS = 10
"""Rows that are shown as records: each of them is as many lines as there are columns."""
NARROWEST = 12
"""Characters of a column; where this is not enough room for all of them, rows are shown as records."""
PIPE_WIDEST = 60
"""Characters to which a column is filled up in a pipe; what is longer stands there whole."""
_GAP = "  "


def show(answer: Answer, most: int | None) -> None:
    """The first rows of an answer on a terminal, and how many there are; ``most``: how many, if somebody said so."""
    limit = most or ROWS
    rows = [_visible(row) for row in answer.rows(f"{texts_sql(answer.columns)} LIMIT {limit + 1}")]
    names = [visible_line(column.name) for column in answer.columns]
    widths = fitting(_widths(names, rows[:limit]), out.width)
    limit = limit if widths or most else RECORDS
    if widths:
        _table(names, rows[:limit], widths, [column.is_number for column in answer.columns])
    else:
        _records(names, rows[:limit])
    if not rows:
        err.print("no rows", style="dim")
    if len(rows) > limit:
        _tell_rest(answer, limit)


def fitting(widths: Sequence[int], room: int) -> list[int]:
    """The widths with which a table fits: the widest columns are cut; nothing if they would say nothing then."""
    room -= len(_GAP) * (len(widths) - 1)
    cap = max(widths, default=0)
    while sum(min(width, cap) for width in widths) > room:
        cap -= 1
        if cap < NARROWEST:
            return []
    return [min(width, cap) for width in widths]


def fit(text: str, width: int, *, right: bool = False) -> str:
    """A text in so many cells of a terminal; what is cut ends with an ellipsis."""
    have = cell_len(text)
    if have > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - have) + text if right else text + " " * (width - have)


def write_lines(answer: Answer) -> None:
    """All rows as a table in a pipe or a file: values are whole, the first rows say how wide the columns are."""
    form, names = "", [visible_line(column.name) for column in answer.columns]
    for chunk in answer.chunks(texts_sql(answer.columns)):
        if not form:
            form = _form(answer, _widths(names, [_visible(row) for row in chunk]))
            put(form % (*names, ""))
        put("".join([form % ((*_visible(row), "") if row[-1] else row) for row in chunk]))
    if not form:
        put(_GAP.join(names) + "\n")


def _form(answer: Answer, widths: Sequence[int]) -> str:
    """How a row of `texts_sql` is written: the last text is not filled up, what says whether it needs a look is not shown."""
    kept = [f"%{'' if column.is_number else '-'}{min(width, PIPE_WIDEST)}s" for column, width in zip(answer.columns, widths, strict=True)]
    last = kept[-1] if answer.columns[-1].is_number else "%s"
    return _GAP.join([*kept[:-1], last]) + "%.0s\n"


def _visible(row: tuple[Any, ...]) -> tuple[str, ...]:
    """The texts of a row of `texts_sql`, which says last whether one of them needs a look."""
    return tuple(map(visible_line, row[:-1])) if row[-1] else row[:-1]


def _widths(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[bool]) -> None:
    for at, row in enumerate([names, *rows]):
        cells = [fit(text, width, right=of) for text, width, of in zip(row, widths, right, strict=True)]
        out.print(styled(_GAP.join(cells).rstrip(), "" if at else "bold"))


def _records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    left = min(max(map(cell_len, names)), max(NARROWEST, out.width // 3))
    room = max(NARROWEST, out.width - left - len(_GAP))
    for number, row in enumerate(rows, 1):
        out.print(styled(f"row {number}", "bold"))
        for name, text in zip(names, row, strict=True):
            out.print(f"{fit(name, left)}{_GAP}{fit(text, room)}".rstrip())


def _tell_rest(answer: Answer, shown: int) -> None:
    sys.stdout.flush()
    try:
        with spinner("counting …"):
            count = f"{answer.count():,}"
    except KeyboardInterrupt:
        count = "more"
    err.print(f"{shown:,} of {count} rows. More of them: --rows N. All: --out FILE.csv, or a pipe such as | less -S", style="dim")
