"""A chart as a PNG file, by matplotlib, which comes with ``skep[plot]``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skep.cli.sql.charts import Chart
from skep.cli.sql.output import whole
from skep.project.errors import CommandError

INCHES = (10, 5)
DOTS = 150
"""Dots of an inch."""


def write_png(chart: Chart, path: Path) -> None:
    """Writes the file; it replaces an older one once it is whole."""
    try:
        from matplotlib import rc_context  # noqa: PLC0415 - not everybody has it
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise CommandError("--png: expected matplotlib, found none → pip install 'skep[plot]'") from error
    # A dollar sign in a name begins no formula.
    with rc_context({"text.parse_math": False}), whole(path, "--png") as part:
        figure = Figure(figsize=INCHES, layout="constrained")
        axes: Any = figure.subplots()
        (_bars if chart.kind == "bar" else _lines)(axes, chart)
        axes.legend()
        figure.savefig(part, format="png", dpi=DOTS)


def _lines(axes: Any, chart: Chart) -> None:
    xs = [datetime.fromtimestamp(x, UTC).replace(tzinfo=None) if chart.is_time else x for x in chart.xs]
    for one in chart.series:
        axes.plot(xs, _known(one.values), label=one.name)
    axes.set_xlabel(chart.x)


def _bars(axes: Any, chart: Chart) -> None:
    height, places = 0.8 / len(chart.series), range(len(chart.labels))
    for at, one in enumerate(chart.series):
        axes.barh([place + at * height for place in places], _known(one.values), height, label=one.name)
    axes.set_yticks([place + 0.4 - height / 2 for place in places], chart.labels)
    axes.invert_yaxis()
    axes.set_ylabel(chart.x)


def _known(values: list[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
