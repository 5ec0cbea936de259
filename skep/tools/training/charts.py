"""Pictures of a model and of an evaluation: SVG, drawn here, with nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from operators.match.comparisons import levels
from operators.match.model import Model
from operators.match.scoring import weight
from skep.project.terminal import visible
from skep.tools.training.evaluation import Measures

_ROW, _LEFT, _HALF, _TOP = 18, 300, 220, 56
_FOR, _AGAINST, _INK, _PALE = "#2a6f97", "#bc4749", "#222", "#bbb"


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(visible(words))}</text>'


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    style = f'font-family="system-ui, sans-serif" font-size="12" fill="{_INK}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {style}>'
    return "\n".join((head, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>")) + "\n"


def weights_chart(model: Model) -> str:
    """The match weight of every level as a bar: to the right what speaks for one person, to the left what speaks against it."""
    rows = [("prior", "two records taken at random", weight(model.prior))]
    for each in model.comparisons:
        rows += [(each.compare.trait, level.label, bits) for level, bits in zip(levels(each.compare), each.bits, strict=True)]
    most = max(1.0, *(abs(bits) for _, _, bits in rows))
    middle = _LEFT + _HALF
    parts = [_text(12, 22, "Match weights in bits", 'font-size="15" font-weight="600"')]
    parts.append(_text(12, 40, "right: speaks for one person; left: against it", f'fill="{_FOR}"'))
    y, before = _TOP, ""
    for trait, label, bits in rows:
        y += _ROW + (8 if trait != before else 0)
        length = abs(bits) / most * (_HALF - 50)
        x = middle if bits >= 0 else middle - length
        parts.append(_text(12, y, trait if trait != before else "", 'font-weight="600"'))
        parts.append(_text(_LEFT - 8, y, label, 'text-anchor="end"'))
        parts.append(f'<rect x="{x:.1f}" y="{y - 11}" width="{length:.1f}" height="13" fill="{_FOR if bits >= 0 else _AGAINST}"/>')
        anchor, at = ("start", middle + length + 4) if bits >= 0 else ("end", middle - length - 4)
        parts.append(_text(at, y, f"{bits:+.1f}", f'text-anchor="{anchor}"'))
        before = trait
    parts.append(f'<line x1="{middle}" x2="{middle}" y1="{_TOP}" y2="{y + 6}" stroke="{_PALE}"/>')
    return _svg(middle + _HALF, y + 20, parts)


_LINES = (("precision", "#2a6f97"), ("recall", "#e09f3e"), ("f1", "#222"))


def thresholds_chart(rows: Sequence[Measures], accept: float) -> str:
    """Pairwise precision, recall and F1 by the threshold, which is drawn by its weight; a line where ``accept`` is."""
    width, height, left, top, bottom = 640, 360, 56, 48, 300
    places = [weight(row.accept) for row in rows]
    low, high = min(places), max(*places, min(places) + 1)
    least = min(getattr(row.pairwise, name) for row in rows for name, _ in _LINES)
    floor = max(0.0, int(least * 10) / 10)

    def x(probability: float) -> float:
        return left + (weight(probability) - low) / (high - low) * (width - left - 40)

    def y(share: float) -> float:
        return bottom - (share - floor) / (1 - floor or 1) * (bottom - top)

    parts = [
        _text(12, 22, "Pairs right and found, by the match probability at which a link is accepted", 'font-size="14" font-weight="600"')
    ]
    for step in range(6):
        share = floor + (1 - floor) * step / 5
        parts.append(f'<line x1="{left}" x2="{width - 40}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="#eee"/>')
        parts.append(_text(left - 8, y(share) + 4, f"{share:.2f}", 'text-anchor="end"'))
    for at, row in enumerate(rows):
        parts.append(_text(x(row.accept), bottom + (18 if at % 2 else 32), f"{row.accept:g}", 'text-anchor="middle" font-size="10"'))
    parts.append(f'<line x1="{x(accept):.1f}" x2="{x(accept):.1f}" y1="{top}" y2="{bottom}" stroke="{_AGAINST}" stroke-dasharray="4 3"/>')
    for at, (name, colour) in enumerate(_LINES):
        points = " ".join(f"{x(row.accept):.1f},{y(getattr(row.pairwise, name)):.1f}" for row in rows)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(left + 90 * at, 40, name, f'fill="{colour}" font-weight="600"'))
    parts.append(_text(left + 290, 40, "┆ accept", f'fill="{_AGAINST}"'))
    return _svg(width, height, parts)
