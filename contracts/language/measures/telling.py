"""The keys beside a measure, read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.language.measures import MEASURES, OPTIONS
from contracts.language.measures.measure import Measure
from contracts.language.spans import EVER, WINDOWS, TimeSpan, read_window
from contracts.model.event_patterns import matches
from contracts.text.problems import listed
from contracts.text.yaml_tree import Reader, Tree


def read_options(reader: Reader, fields: Mapping[str, Tree], measure: Measure, word: str, events: tuple[str, ...]) -> dict[str, Any] | None:
    """The keys beside the measure, with their defaults; None if one is wrong."""
    before = len(reader.problems)
    mine = {option.name: option for option in measure.options}
    for name in OPTIONS:
        if name in fields and name not in mine:
            takers = [one.trait or one.name for one in MEASURES.values() if name in {option.name for option in one.options}]
            reader.refuse(fields[name], f"`{name}` only beside {listed([f'`{one}`' for one in takers])}")
    found = {}
    for name, option in mine.items():
        at = fields.get(name)
        if at is None and option.required:
            reader.refuse(fields[word], f"`{name}` beside it: {option.means}", "none")
        found[name] = option.default if at is None else reader.read(Tree(at.plain(), at.file, at.line, at.key), option.default, option.read)
        if at is not None and option.events:
            _check_events(reader, at, found[name], events)
    return None if len(reader.problems) > before else found


def read_span(reader: Reader, fields: Mapping[str, Tree], measure: Measure, word: str, timezone: str = "UTC", *, gap_us: int) -> TimeSpan:
    """The window beside the measure, as `read_window` does, where the measure takes one."""
    named = [name for name in WINDOWS if name in fields]
    if named and not measure.window:
        reader.refuse(fields[named[0]], f"no window beside {word}, which says itself how far back it looks", named[0])
        return EVER
    if "session" in fields and not measure.session:
        reader.refuse(fields["session"], f"no `session` beside {word}", None, "`within`, `ago` or `between` may stand there")
        return EVER
    return read_window(reader, fields, timezone, gap_us=gap_us)


def _check_events(reader: Reader, at: Tree, weights: Iterable[tuple[str, int]], events: tuple[str, ...]) -> None:
    """Weights are of events that are measured."""
    for name, _ in weights:
        if not any(matches(event, name) for event in events):
            reader.refuse(at, f"weights of events of `did`, {listed(events)}", name)
