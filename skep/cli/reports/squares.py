"""A heat map: shares by two labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from skep.cli.sql.screen import fit
from skep.cli.sql.session import Answer
from skep.project.terminal import visible_line

_SHADES = " ░▒▓█"
_CELL = 8


@dataclass(frozen=True, slots=True)
class Heat:
    """``shares``: of each row of each column, from 0 to 1; None where there is none."""

    title: str
    rows: list[str]
    columns: list[str]
    shares: list[list[float | None]]

    @property
    def largest(self) -> float:
        return max((share for row in self.shares for share in row if share is not None), default=0.0) or 1.0


def heat_of(answer: Answer) -> Heat:
    """The heat map of an answer of three columns: row, column, share."""
    found = answer.rows("SELECT coalesce(CAST(c0 AS VARCHAR), '–'), coalesce(CAST(c1 AS VARCHAR), '–'), CAST(c2 AS DOUBLE) FROM {answer}")
    rows, columns = list(dict.fromkeys(row for row, _, _ in found)), list(dict.fromkeys(column for _, column, _ in found))
    shares = {(row, column): share for row, column, share in found}
    return Heat(
        " by ".join(visible_line(column.name) for column in answer.columns[:2]),
        [visible_line(row) for row in rows],
        [visible_line(column) for column in columns],
        [[shares.get((row, column)) for column in columns] for row in rows],
    )


def squares(heat: Heat, width: int) -> list[str]:
    """A line for each row: its label, and of each column a shade and the share in percent; the largest share is the darkest."""
    left = min(max(map(cell_len, heat.rows), default=0), width // 3)
    cells = [min(max(_CELL, cell_len(label) + 1), width // 3) for label in heat.columns]
    while cells and sum(cells) > width - left - 2:
        cells.pop()
    largest = heat.largest
    lines = [" " * (left + 2) + "".join(fit(label, cell - 1, right=True) + " " for label, cell in zip(heat.columns, cells, strict=False))]
    for row, shares in zip(heat.rows, heat.shares, strict=True):
        squares = (_square(share, cell, largest) for share, cell in zip(shares, cells, strict=False))
        lines.append(f"{fit(row, left)}  {''.join(squares)}")
    return [line.rstrip() for line in lines]


def _square(share: float | None, cell: int, largest: float) -> str:
    shade = "" if share is None else _SHADES[round(share / largest * (len(_SHADES) - 1))] * 2
    return fit(shade + ("" if share is None else f"{share:5.0%}"), cell - 1, right=True) + " "


def paint_heat(axes: Any, heat: Heat) -> None:
    """The same on matplotlib's axes; the colours are told apart by everybody."""
    values = [[float("nan") if share is None else share for share in row] for row in heat.shares]
    axes.imshow(values, cmap="viridis", vmin=0, vmax=heat.largest, aspect="auto")
    axes.set_xticks(range(len(heat.columns)), heat.columns)
    axes.set_yticks(range(len(heat.rows)), heat.rows)
    axes.set_xlabel(heat.title)
    for at, row in enumerate(heat.shares):
        for place, share in enumerate(row):
            if share is not None:
                axes.text(place, at, f"{share:.0%}", ha="center", va="center", color="white" if share < 0.6 * heat.largest else "black")
