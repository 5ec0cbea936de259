"""Two records side by side for people: what each comparison adds to the match weight."""

from __future__ import annotations

from typing import Any

from skep.cli.console import out, table
from skep.cli.layout import number, prose

_COLUMNS = ("comparison", "how", prose("one"), prose("other"), prose("level"), number("bits"), number("rarity"), number("sum"))


def show_waterfall(a: str, b: str, fall: dict[str, Any]) -> None:
    """The prior, each comparison with its bits (of them what the value's rarity adds), and the probability they come to."""
    out.print(f"\n{a} and {b} by likeness: {fall['weight']:+.2f} bits, probability {fall['probability']:.4f}")
    prior = f"{fall['prior']:+.2f}"
    rows = [("(two at random)", "", "", "", f"probability {fall['prior_probability']:.2g}", prior, "", prior)]
    for step in fall["steps"]:
        rarity = f"{step['frequency']:+.2f}" if step["frequency"] else ""
        bits = (f"{step['bits']:+.2f}", rarity, f"{step['sum']:+.2f}")
        rows.append((step["trait"], step["how"], step["a"] or "–", step["b"] or "–", step["level"], *bits))
    table(_COLUMNS, rows)


def show_compared(compared: dict[str, Any]) -> None:
    """What likeness says of two records that have no link."""
    out.print(f"\nby likeness, {compared['why']}")
    if compared["blocks"]:
        out.print(f"blocks that they share: {'; '.join(compared['blocks'])}")
    if compared["candidates"]:
        show_waterfall(":".join(compared["a"]), ":".join(compared["b"]), compared["waterfall"])
