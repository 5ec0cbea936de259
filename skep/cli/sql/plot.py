"""`--plot` and `--png`: an answer drawn in the terminal, or into a file."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from skep.cli.console import out
from skep.cli.sql.charts import HEIGHT, bars, chart_of, lines, sparks
from skep.cli.sql.png import painter, write_png
from skep.cli.sql.session import Answer

WIDEST = 120
"""Characters that a drawing takes where nobody says how wide the terminal is."""


def draw(answer: Answer, kind: str, png: Path | None) -> None:
    """Draws an answer; ``kind``: bar, line, spark, or auto for what suits its columns."""
    chart = chart_of(answer, kind)
    if png:
        write_png(painter(chart), png)
        return
    width = out.width if sys.stdout.isatty() else min(WIDEST, shutil.get_terminal_size((WIDEST, HEIGHT)).columns)
    for line in {"bar": bars, "line": lines, "spark": sparks}[chart.kind](chart, width):
        out.print(line)
