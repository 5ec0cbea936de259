"""An answer as bars, lines or a spark of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

from rich.cells import cell_len

from skep.cli.console import err
from skep.cli.sql.forms import Column
from skep.cli.sql.screen import fit
from skep.cli.sql.session import Answer
from skep.project.errors import CommandError
from skep.project.terminal import visible_line

BARS = 40
"""Bars of a drawing."""
POINTS = 10_000
"""Points of a line."""
HEIGHT = 20
"""Lines of a terminal that a line chart takes."""
NAMED = 5
"""Values that are named on the y axis."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
_MARKERS = ("braille", "x", "o", "+", "*", "#")


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one column, as numbers (None: NULL) and as texts."""

    name: str
    values: list[float | None]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. ``xs``: numbers, or seconds since 1970 if ``is_time``, or places from 0; ``labels``: the same as texts."""

    kind: str
    x: str
    xs: list[float]
    labels: list[str]
    is_time: bool
    series: list[Series]


def chart_of(answer: Answer, kind: str) -> Chart:
    """The numbers of an answer: x is its first column that holds none, else its first one; all other numbers are series."""
    columns = answer.columns
    x = next((column for column in columns if not column.is_number), columns[0] if len(columns) > 1 else None)
    series = [column for column in columns if column.is_number and column is not x]
    if not series:
        found = ", ".join(f"{column.name} ({column.kind})" for column in columns)
        raise CommandError(f"--plot: expected a column of numbers, found {found} → count, sum, or cast one: total::DOUBLE")
    kind = _suiting(x) if kind in {"", "auto"} else kind
    most = BARS if kind == "bar" else POINTS
    rows = answer.rows(_query(x, series, most + 1, ordered=kind != "bar"))
    if len(rows) > most:
        err.print(f"the first {most:,} rows are drawn; there are more: aggregate them, or choose with LIMIT", style="yellow")
    rows = [row for row in rows[:most] if row[0] is not None]
    if not rows:
        raise CommandError("--plot: expected rows to draw, found none → ask for more")
    places, labels, *cells = zip(*rows, strict=True)
    drawn = [_series(*three) for three in zip(series, cells[::2], cells[1::2], strict=True)]
    return Chart(kind, visible_line(x.name) if x else "row", list(places), list(map(visible_line, labels)), bool(x and x.is_time), drawn)


def _suiting(x: Column | None) -> str:
    if x is None:
        return "spark"
    return "line" if x.is_time or x.is_number else "bar"


def _query(x: Column | None, series: Sequence[Column], limit: int, *, ordered: bool) -> str:
    """Rows of: place on the x axis, label, and of each series value and text."""
    place, label = "CAST(row_number() OVER () - 1 AS DOUBLE)", "''"
    if x:
        label = f"coalesce({x.text()}, '–')"
        if ordered and (x.is_time or x.is_number):
            place = f"CAST(epoch({x.key}) AS DOUBLE)" if x.is_time else _finite(x)
    values = [f"{_finite(one)}, coalesce({one.text()}, '–')" for one in series]
    order = "ORDER BY 1" if ordered and x and (x.is_time or x.is_number) else ""
    return f"SELECT {place}, {label}, {', '.join(values)} FROM {{answer}} {order} LIMIT {limit}"


def _finite(column: Column) -> str:
    """A number's value; what is not finite has no place in a drawing."""
    value = f"CAST({column.key} AS DOUBLE)"
    return f"CASE WHEN isfinite({value}) THEN {value} END"


def _series(column: Column, values: tuple[float | None, ...], texts: tuple[str, ...]) -> Series:
    return Series(visible_line(column.name), list(values), list(texts))


def bars(chart: Chart, width: int) -> list[str]:
    """A line for each value: its label, a bar as long as it is large, the value itself. A bar of a negative value is hollow."""
    several = len(chart.series) > 1
    labels = [f"{label} {one.name}" if several else label for label in chart.labels for one in chart.series]
    values = [one.values[at] or 0.0 for at in range(len(chart.labels)) for one in chart.series]
    texts = [one.texts[at] for at in range(len(chart.labels)) for one in chart.series]
    left = min(max(map(cell_len, labels)), width // 3)
    room = max(1, width - left - max(map(cell_len, texts)) - 3)
    largest = max(map(abs, values)) or 1.0
    return [f"{fit(label, left)}  {_bar(value / largest, room)} {text}" for label, value, text in zip(labels, values, texts, strict=True)]


def _bar(share: float, room: int) -> str:
    eighths = round(abs(share) * room * 8)
    if share < 0:
        return "░" * max(1, eighths // 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip() or "▏" * (share > 0)


def sparks(chart: Chart, width: int) -> list[str]:
    """A line for each series: its name, how it runs, and from where to where."""
    left = min(max(cell_len(one.name) for one in chart.series), width // 3)
    return [f"{fit(one.name, left)}  {_spark(one, width - left - 30)}" for one in chart.series]


def _spark(series: Series, room: int) -> str:
    known = [value for value in series.values if value is not None]
    if not known:
        return "–"
    size = -(-len(known) // max(1, room))
    means = [sum(value / len(part) for value in part) for part in (known[at : at + size] for at in range(0, len(known), size))]
    low, high = min(means), max(means)
    # Halves: the distance of the largest numbers is no number any more.
    marks = [_LEVELS[round((mean / 2 - low / 2) / (high / 2 - low / 2 or 1) * (len(_LEVELS) - 1))] for mean in means]
    return f"{''.join(marks)}  {min(known):g} to {max(known):g}"


def lines(chart: Chart, width: int) -> list[str]:
    """A chart of lines with both axes."""
    import plotext  # noqa: PLC0415 - half a second that only lines cost

    figure = plotext.figure
    figure.clear()
    heights = _heights(chart)
    # The library adds to limits and subtracts them, which the largest numbers do not bear.
    wide, high = _largest(chart.xs), _largest(heights)
    for one, marker in zip(chart.series, cycle(_MARKERS), strict=False):
        points = [(x, y) for x, y in zip(chart.xs, one.values, strict=True) if y is not None]
        if points:
            signal = figure.signal([x / wide for x, _ in points], [y / high for _, y in points], marker=marker)
            signal.lines()
            signal.label(one.name)
            figure.draw(signal)
    figure.plot_size(width, HEIGHT)
    ticks = _ticks(chart)
    figure.ruler("x").ticks([chart.xs[at] / wide for at in ticks], [chart.labels[at] for at in ticks])
    figure.ruler("y").ticks([one / high for one in heights], [_height(one, high) for one in heights])
    return str(plotext.uncolorize(str(figure.build()))).splitlines()


def _ticks(chart: Chart) -> list[int]:
    """Which points are named on the x axis: the first, the last, the middle."""
    last = len(chart.xs) - 1
    return sorted({0, last // 2, last})


def _heights(chart: Chart) -> list[float]:
    """The values that are named on the y axis, from the smallest to the largest."""
    known = [value for one in chart.series for value in one.values if value is not None] or [0.0]
    low, high = min(known), max(known)
    return [low * (1 - step / (NAMED - 1)) + high * (step / (NAMED - 1)) for step in range(NAMED)] if high > low else [low]


def _height(value: float, largest: float) -> str:
    return f"{value:,.0f}" if 100 <= largest < 1e15 else f"{value:.3g}"


def _largest(values: Sequence[float]) -> float:
    return max(map(abs, values)) or 1.0
