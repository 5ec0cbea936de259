"""A trait's value for people: what it is, what it comes from, what becomes of it."""

from __future__ import annotations

from skep.answers.trait import TraitValue
from skep.cli.console import cell, headline, out, table
from skep.cli.layout import ident, moment, prose
from skep.cli.show.profile import trait_text


def show(one: TraitValue) -> None:
    """The value, what it is computed of, when it changes by itself, and the events behind it."""
    headline(one.profile, f"  space {one.space}  clock {cell(one.clock)}")
    out.print(f"{one.trait}: {_value(one.value)}")
    words = ": ".join(filter(None, (one.title, one.description)))
    if words or one.owner:
        out.print(words + (f"  ({one.owner})" if one.owner else ""))
    out.print(one.says or "written by identify calls; the last one counts")
    if one.turns is not None:
        out.print(f"if nothing else happens, {_value(one.turns.to)} at {cell(one.turns.at)}")
    if one.made_of:
        out.print()
        table(("made of", prose("value")), [(name, _value(value)) for name, value in one.made_of.items()])
    if one.earlier:
        out.print(f"\n{one.earlier:,} earlier events are left out: --limit {one.earlier + len(one.sources)}")
    if one.sources:
        out.print()
        rows = [(each.time, each.event, _value(each.value), each.message) for each in one.sources]
        table((moment("time"), "event", prose("alone it would be"), ident("message")), rows)


def _value(value: object) -> str:
    return "missing" if value is None else trait_text(value)
