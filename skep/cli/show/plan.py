"""`skep plan`: files first, then counts, then samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contracts.text.problems import listed
from skep.answers.planning.answer import Effort, Person, Plan, Sample
from skep.cli.console import WIDE, cell, err, headline, out, screen_width, table
from skep.cli.layout import number, prose, wrapped
from skep.cli.show.segments_log import change_lines
from skep.cli.sql.charts import Chart, Series, bars
from skep.cli.sql.plot import WIDEST

MEMBERS_SHOWN = 3
"""Who enters or leaves a segment, as far as it is printed; the JSON has more."""


def show(plan: Plan) -> None:
    """Files first, then counts, then samples."""
    space = plan.space
    for one in plan.files:
        out.print(f"{one.change:8} {one.file}")
    if plan.waiting:
        waiting = f"{plan.waiting:,} entries of the control partition wait for a flow; they come first, and are not in this plan"
        err.print(f"{space}: {waiting}", style="yellow")
    if plan.older:
        why = "an older version of Skep has computed the people; the next flow computes everybody anew once, whatever the contracts say"
        err.print(f"{space}: {why}", style="yellow")
    if not plan.recomputed:
        out.print(f"{space}: nothing would change: {_why_nothing(plan)}")
        return
    _meanings(plan)
    clock = f"at the clock {cell(plan.clock)}" if plan.clock else "before the clock runs"
    out.print(f"{space}: {plan.people.before:,} profiles now, {plan.people.after:,} after, {clock}")
    counts = [(what, count) for what, count in _counts(plan) if count]
    if counts:
        out.print()
        table((prose("what"), number("number")), counts)
    else:
        out.print("everybody keeps their profile, their identifiers and their events")
    if plan.cost is not None:
        out.print(_cost(plan.cost))
    _tables(plan)
    for title, samples in _samples(plan):
        out.print(f"\n{title}")
        for sample in samples:
            out.print(f"  {_people(sample.before)} → {_people(sample.after)}")


def _meanings(plan: Plan) -> None:
    """The segments that would mean something else, in words, and what that does to whoever depends on them."""
    for one in plan.meanings:
        headline(f"\nsegment {one.segment}", f": {one.how}")
        for line in change_lines(one.changes):
            out.print(line)
        members = plan.segments.get(one.segment)
        if members is not None:
            told = [
                f"{name} would be told of {each.entered:,} who entered and {each.left:,} who left" for name, each in members.told.items()
            ]
            moved = f"{members.enter.count:,} enter, {members.leave.count:,} leave: {members.before:,} members now, {members.after:,} after"
            for line in wrapped("; ".join([moved, *told]), (screen_width() or WIDE) - 2):
                out.print(f"  {line}")
        elif plan.recomputed:
            out.print("  nobody enters or leaves")
        if one.asked_by:
            out.print(f"  {listed(one.asked_by, 'and')} {'asks' if len(one.asked_by) == 1 else 'ask'} about it")
    if plan.meanings:
        out.print()


def _drawn(plan: Plan) -> None:
    """The sizes before and after of segments of which they differ."""
    found = {name: one for name, one in plan.segments.items() if one.before != one.after}
    if not found:
        return
    sizes = [
        Series("now", [float(one.before) for one in found.values()], [f"{one.before:,}" for one in found.values()]),
        Series("after", [float(one.after) for one in found.values()], [f"{one.after:,}" for one in found.values()]),
    ]
    out.print()
    for line in bars(Chart("bar", "segment", [float(at) for at in range(len(found))], list(found), False, sizes), screen_width() or WIDEST):
        out.print(line)


def _cost(cost: Effort) -> str:
    """How long it will take, and what of."""
    people, events = f"{cost.people:,} people evaluated", f"{cost.events:,} events read" if cost.events else "no event read"
    size = f"{cost.bytes / 1e6:.1f} MB written"
    memory = f" and {cost.memory / 1e6:.1f} MB of memory" if cost.anew else ""
    return f"about {cost.seconds:.1f} s{memory}: {people}, {events}, {size}; events go on meanwhile"


def _why_nothing(plan: Plan) -> str:
    before, after = plan.definitions.before, plan.definitions.after
    return f"definitions {after} are in force already" if before == after else "the contracts say the same of every accepted event"


def _counts(plan: Plan) -> Iterator[tuple[str, int]]:
    yield "profiles after that join several of now", plan.merge.count
    yield "profiles now that come apart", plan.split.count
    yield "profile ids that vanish", plan.id.vanish.count
    yield "profile ids that appear", plan.id.appear.count
    yield "identifiers with another profile id", plan.identifiers.moved
    yield "identifiers that appear", plan.identifiers.added
    yield "identifiers that go", plan.identifiers.gone
    yield "events that belong to another profile", plan.events


def _tables(plan: Plan) -> None:
    if plan.segments:
        out.print()
        columns = ("segment", number("now"), number("after"), number("enter"), number("leave"))
        sizes = [
            (name, one.before, one.after, one.enter.count, one.leave.count)
            for name, one in plan.segments.items()
            if any((one.enter.count, one.leave.count, one.before != one.after))
        ]
        table(columns, sizes)
        _drawn(plan)
    if plan.traits:
        out.print()
        table(("trait", number("profiles with another value")), plan.traits.items())
    if plan.destinations:
        out.print()
        rows = [(name, one.changes, _types(one.types)) for name, one in plan.destinations.items()]
        table(("destination", number("changes"), prose("of them")), rows)


def _types(types: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in types.items())


def _samples(plan: Plan) -> Iterator[tuple[str, Sequence[Sample]]]:
    found = {
        "joined": plan.merge, "apart": plan.split, "ids that vanish": plan.id.vanish, "ids that appear": plan.id.appear,
    }  # fmt: skip
    for title, one in found.items():
        if one.count:
            yield f"{title} ({len(one.samples)} of {one.count:,})", one.samples
    for name, members in plan.segments.items():
        for title, some in (("enter", members.enter), ("leave", members.leave)):
            if some.count:
                shown = [Sample([], [one]) if title == "enter" else Sample([one], []) for one in some.samples[:MEMBERS_SHOWN]]
                yield f"{title} {name} ({len(shown)} of {some.count:,})", shown


def _people(rows: list[Person]) -> str:
    return " + ".join(_person(row) for row in rows) or "–"


def _person(row: Person) -> str:
    held = " ".join(f"{namespace}:{value}" for namespace, value in row.identifiers) or "no identifier"
    more = f" and {row.more:,} more" if row.more else ""
    return f"{row.profile} ({held}{more})"
