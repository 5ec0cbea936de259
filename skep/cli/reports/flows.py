"""A flow: how many went from what to what, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skep.cli.sql.charts import BARS, Chart, Series, bars
from skep.cli.sql.session import Answer
from skep.project.terminal import visible_line

Move = tuple[int, str, str, int]
"""Step, from, to, how often."""


@dataclass(frozen=True, slots=True)
class Flow:
    moves: list[Move]


def flow_of(answer: Answer) -> Flow:
    """The flow of an answer of four columns: step, from, to, how often."""
    found = answer.rows("SELECT CAST(c0 AS BIGINT), CAST(c1 AS VARCHAR), CAST(c2 AS VARCHAR), CAST(c3 AS BIGINT) FROM {answer}")
    return Flow([(step, visible_line(one), visible_line(other), times) for step, one, other, times in found])


def arrows(flow: Flow, width: int) -> list[str]:
    """A bar for each of the most frequent moves, step by step."""
    most = sorted(sorted(flow.moves, key=lambda move: -move[3])[:BARS])
    labels = [f"{step}  {one} → {other}" for step, one, other, _ in most]
    times = [times for *_, times in most]
    return bars(Chart("bar", "move", [], labels, False, [Series("times", list(map(float, times)), [f"{one:,}" for one in times])]), width)


def paint_flow(axes: Any, flow: Flow) -> None:
    """Columns of what was done at each step, as high as often it was, and bands between them."""
    columns: dict[int, dict[str, float]] = {}
    for step, one, other, times in flow.moves:
        column = columns.setdefault(step, {})
        column[one] = column.get(one, 0) + times
        if not any(step + 1 == later and other == source for later, source, _, _ in flow.moves):
            ahead = columns.setdefault(step + 1, {})
            ahead[other] = ahead.get(other, 0) + times
    tops = {step: _stacked(column) for step, column in columns.items()}
    left = {(step, name): top for step, boxes in tops.items() for name, (top, _) in boxes.items()}
    right = dict(left)
    for step, one, other, times in sorted(flow.moves):
        start, end = right[step, one], left[step + 1, other]
        right[step, one], left[step + 1, other] = start - times, end - times
        axes.fill_between([step + 0.06, step + 0.94], [start, end], [start - times, end - times], alpha=0.35, linewidth=0)
    for step, boxes in tops.items():
        for name, (top, height) in boxes.items():
            axes.bar(step, height, 0.12, top - height, color="black")
            axes.text(step + 0.08, top - height / 2, f"{name} {height:,.0f}", va="center", fontsize=8)
    axes.set_xticks(sorted(tops), [f"step {step}" for step in sorted(tops)])
    axes.set_xlim(min(tops, default=0) - 0.2, max(tops, default=1) + 0.8)
    axes.set_yticks([])


def _stacked(column: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Of each name the top and the height of its box; the largest stand above."""
    top, gap, found = 0.0, 0.03 * sum(column.values()), {}
    for name, height in sorted(column.items(), key=lambda one: (-one[1], one[0])):
        found[name] = (top, height)
        top -= height + gap
    return found
