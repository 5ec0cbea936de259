"""A chart as a picture, by matplotlib, which comes with ``skep[plot]``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from skep.cli.sql.charts import Chart
from skep.cli.sql.output import whole
from skep.project.errors import CommandError

INCHES = (10, 5)
DOTS = 150
"""Dots of an inch."""

Painter = Callable[[Any], None]
"""Draws on matplotlib's axes."""


def write_png(paint: Painter, path: Path, title: str = "") -> None:
    """Writes the file; it replaces an older one once it is whole."""
    figure = _painted(paint, title, "--png")
    with whole(path, "--png") as part:
        figure.savefig(part, format="png", dpi=DOTS)


def svg_of(paint: Painter, title: str) -> str:
    """The picture as an SVG element; the same drawing gives the same text."""
    figure, text = _painted(paint, title, "--html"), StringIO()
    from matplotlib import rc_context  # noqa: PLC0415 - `_painted` has it

    with rc_context({"svg.hashsalt": "skep"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _painted(paint: Painter, title: str, option: str) -> Any:
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - not everybody has it
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise CommandError(f"{option}: expected matplotlib, found none → pip install 'skep[plot]'") from error
    # A dollar sign in a name begins no formula.
    with rc_context({"text.parse_math": False}):
        figure = Figure(figsize=INCHES, layout="constrained")
        axes: Any = figure.subplots()
        paint(axes)
        if title:
            axes.set_title(title, loc="left")
        figure.draw_without_rendering()
    return figure


def painter(chart: Chart) -> Painter:
    """Draws bars or lines, with a legend."""

    def paint(axes: Any) -> None:
        (_bars if chart.kind == "bar" else _lines)(axes, chart)
        axes.legend()

    return paint


def _lines(axes: Any, chart: Chart) -> None:
    xs = [datetime.fromtimestamp(x, UTC).replace(tzinfo=None) if chart.is_time else x for x in chart.xs]
    for one in chart.series:
        axes.plot(xs, _known(one.values), label=one.name)
    axes.set_xlabel(chart.x)


def _bars(axes: Any, chart: Chart) -> None:
    height, places = 0.8 / len(chart.series), range(len(chart.labels))
    for at, one in enumerate(chart.series):
        drawn = axes.barh([place + at * height for place in places], _known(one.values), height, label=one.name)
        axes.bar_label(drawn, one.texts, padding=3, fontsize=8)
    axes.set_yticks([place + 0.4 - height / 2 for place in places], chart.labels)
    axes.invert_yaxis()
    axes.set_ylabel(chart.x)


def _known(values: list[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
