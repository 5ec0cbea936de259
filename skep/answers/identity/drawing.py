"""A picture of boxes in columns and lines between them, written as SVG."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from skep.project.terminal import visible

WIDTH, HEIGHT, STEP, HEAD, GAP, MARGIN = 190, 26, 34, 26, 120, 30
"""Of a box, from box to box, of a heading, between columns, around everything (pixels)."""
TOP, LEGEND_ROW = 84, 22
LABEL = 24
"""Characters of a label, wide ones counted twice."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOX = {
    "person": 'fill="#e8f0fe" stroke="#3367d6"',
    "device": 'fill="#e6f4ea" stroke="#188038"',
    "other": 'fill="#f5f5f5" stroke="#9aa0a6"',
    "more": 'fill="#fff8e1" stroke="#b06000" stroke-dasharray="2 2"',
}

_SURE, _ALIKE = 'stroke="#5f6368"', 'stroke="#7b1fa2"'
_REFUSED, _CANDIDATE = 'stroke="#c5221f" stroke-dasharray="6 4"', 'stroke="#7b1fa2" stroke-dasharray="1 5" stroke-linecap="round"'
"""Lines that stand, stand by likeness, are refused, wait for more evidence."""


@dataclass(frozen=True, eq=False)
class Node:
    """A box; ``kind`` is one of `person device other more`."""

    label: str
    title: str
    kind: str


@dataclass(frozen=True)
class Group:
    """Boxes under a heading."""

    heading: str
    nodes: list[Node]


@dataclass(frozen=True, eq=False)
class Line:
    """``refused``: why it does not stand, None if it does. ``count``: for so many links. ``probability``: of one by likeness;
    ``candidate``: it is not sure enough to be applied."""

    a: Node
    b: Node
    title: str
    refused: str | None
    manual: bool
    count: int
    probability: float | None = None
    candidate: bool = False


@dataclass(frozen=True)
class Picture:
    """Columns from left to right, groups of each from top to bottom; an empty column takes no place."""

    title: str
    subtitle: str
    columns: list[list[Group]]
    lines: list[Line]


Place = tuple[float, float]


def draw(picture: Picture) -> str:
    """The picture as SVG."""
    columns = [column for column in picture.columns if column]
    heights = [sum(HEAD + STEP * len(group.nodes) + 10 for group in column) for column in columns]
    tallest = max(heights)
    reasons = list(dict.fromkeys(line.refused for line in picture.lines if line.refused is not None))
    width = max(2 * MARGIN + len(columns) * WIDTH + (len(columns) - 1) * GAP, 760)
    across = (width - len(columns) * WIDTH - (len(columns) - 1) * GAP) / 2
    height = TOP + tallest + LEGEND_ROW * (len(reasons) + 2) + 2 * MARGIN
    places: dict[Node, Place] = {}
    boxes: list[str] = []
    for at, column in enumerate(columns):
        x, y = across + at * (WIDTH + GAP), TOP + (tallest - heights[at]) / 2
        for group in column:
            boxes.append(_text(x + WIDTH / 2, y + 16, group.heading, 'text-anchor="middle" font-weight="600"'))
            y += HEAD
            for node in group.nodes:
                places[node] = (x, y)
                boxes.append(_box(node, x, y))
                y += STEP
            y += 10
    lines = [part for line in picture.lines for part in _line(line, places, reasons)]
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="12" fill="#202124">',
        f"<title>{_clean(picture.title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(MARGIN, 34, picture.title, 'font-size="16" font-weight="600"'),
        _text(MARGIN, 56, picture.subtitle, 'fill="#5f6368"'),
        *lines,
        *boxes,
        *_legend(picture, reasons, TOP + tallest + MARGIN),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def page(title: str, drawn: str) -> str:
    """A page that shows a picture."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{_clean(title)}</title>'
        "<style>body { margin: 0; background: #fff } svg { display: block; margin: auto }</style></head>\n"
        f"<body>\n{drawn}</body>\n</html>\n"
    )


def _box(node: Node, x: float, y: float) -> str:
    box = f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="6" {_BOX[node.kind]}/>'
    label = _text(x + WIDTH / 2, y + 17, shortened(visible(node.label)), 'text-anchor="middle"')
    return f"<g><title>{_clean(node.title)}</title>{box}{label}</g>"


def _line(line: Line, places: dict[Node, Place], reasons: list[str]) -> Iterator[str]:
    """A curve between the sides that face each other; in one column, around its right side."""
    (ax, ay), (bx, by) = sorted((places[line.a], places[line.b]))
    ay, by = ay + HEIGHT / 2, by + HEIGHT / 2
    start, end = ax + WIDTH, bx if bx > ax else bx + WIDTH
    bend = (end - start) / 2 if bx > ax else min(30 + abs(by - ay) / 6, GAP * 1.2)
    turn = end - bend if bx > ax else end + bend
    curve = f"M{start:.0f} {ay:.0f}C{start + bend:.0f} {ay:.0f} {turn:.0f} {by:.0f} {end:.0f} {by:.0f}"
    look = _REFUSED if line.refused is not None else _CANDIDATE if line.candidate else _ALIKE if line.probability is not None else _SURE
    yield f'<g><title>{_clean(line.title)}</title><path d="{curve}" fill="none" {look} stroke-width="{4 if line.manual else 1.5}"/>'
    x, y = (start + 3 * (start + bend) + 3 * turn + end) / 8, (ay + by) / 2
    if line.probability is not None:
        yield _text(x, y - (11 if line.refused is not None else 4), _shown(line.probability), 'text-anchor="middle" font-size="10"')
    if line.refused is not None:
        number = _text(x, y + 4, str(reasons.index(line.refused) + 1), 'text-anchor="middle" font-size="10" fill="#c5221f"')
        yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="8" fill="#ffffff" stroke="#c5221f"/>{number}'
    yield "</g>"


def _legend(picture: Picture, reasons: list[str], y: float) -> Iterator[str]:
    samples = [
        (f'{_SURE} stroke-width="1.5"', "accepted"),
        (f'{_SURE} stroke-width="4"', "linked by hand"),
        (f'{_REFUSED} stroke-width="1.5"', "refused, with its reason"),
    ]
    if any(line.probability is not None for line in picture.lines):
        samples += [(f'{_ALIKE} stroke-width="1.5"', "by likeness"), (f'{_CANDIDATE} stroke-width="1.5"', "candidate")]
    for at, (look, words) in enumerate(samples):
        x = MARGIN + at * (700 // len(samples) if len(samples) > 3 else 190)
        yield f'<line x1="{x}" y1="{y:.0f}" x2="{x + 40}" y2="{y:.0f}" {look}/>'
        yield _text(x + 50, y + 4, words)
    for at, words in enumerate(reasons):
        y += LEGEND_ROW
        count = sum(line.count for line in picture.lines if line.refused == words)
        yield f'<circle cx="{MARGIN + 8}" cy="{y:.0f}" r="8" fill="#ffffff" stroke="#c5221f"/>'
        yield _text(MARGIN + 8, y + 4, str(at + 1), 'text-anchor="middle" font-size="10" fill="#c5221f"')
        yield _text(MARGIN + 24, y + 4, f"{words} ({count:,} {'link' if count == 1 else 'links'})")
    yield _text(MARGIN, y + LEGEND_ROW + 4, "Point at a box or a line for its whole text and its times.", 'fill="#5f6368"')


def _shown(probability: float) -> str:
    """A probability, rounded down: 1.00 is only what is certain."""
    return f"{min(int(probability * 10_000) / 10_000, 0.9999):.4f}"


def shortened(label: str) -> str:
    """A label that fits into a box."""
    room = LABEL
    for at, letter in enumerate(label):
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < 0:
            return label[: at - 1] + "…"
    return label


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{_clean(words)}</text>'


def _clean(words: str) -> str:
    """What XML may hold and what turns nothing around, escaped."""
    return escape(_NOT_XML.sub("\ufffd", visible(words)))
