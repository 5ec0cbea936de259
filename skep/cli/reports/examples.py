"""What could be asked of this project: each report with an example on the project's own events and segments."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import msgspec

from skep.cli.console import out, styled
from skep.cli.reports.asked import kind, option
from skep.cli.sql.session import Session
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from state.snapshot.questions import Macro, macros

_EVENTS = """
SELECT event FROM timeline GROUP BY event ORDER BY count(DISTINCT (space, profile_id)) DESC, event LIMIT 20"""
_AMOUNTS = """
SELECT f.name, f.path
FROM fields f JOIN (SELECT event, count(DISTINCT (space, profile_id)) AS people FROM timeline GROUP BY event) e ON e.event = f.name
WHERE f.kind = 'event' AND (f.type LIKE 'DECIMAL%' OR f.type = 'DOUBLE') AND f.path NOT LIKE '%[]%'
ORDER BY coalesce(list_position(['revenue', 'total', 'value'], f.path), 4), f.unit IS NULL, e.people DESC, f.name LIMIT 1"""
_SEGMENTS = "SELECT segment FROM segment_sizes() GROUP BY segment ORDER BY sum(members) DESC, segment LIMIT 2"
_PERSON = """
SELECT space, profile_id, coalesce(json_keys(traits)[1], ''), CAST(last_seen AS VARCHAR)
FROM profiles WHERE last_seen IS NOT NULL ORDER BY len(json_keys(traits)) DESC, space, profile_id LIMIT 1"""


class Offered(msgspec.Struct, frozen=True):
    """A report: what it gives, its parameters, and an example on this project's own data, empty if there are none yet."""

    name: str
    gives: str
    parameters: list[str]
    example: str


@dataclass(frozen=True, slots=True)
class _Own:
    """What the project has: values of parameters by their names."""

    values: dict[str, str]

    def example(self, macro: Macro) -> str:
        needed = [one.name for one in macro.parameters if not one.default]
        if any(not self.values.get(name) for name in needed):
            return ""
        return " ".join(["skep report", macro.name, *(f"{option(name)} {shlex.quote(self.values[name])}" for name in needed)])


def offered(settings: Settings) -> list[Offered]:
    """All reports. Raises `NoSnapshot` before the first snapshot."""
    with Session(snapshot_path(settings)) as session:
        own = _own(session)
    return [
        Offered(one.name, one.comment, [_parameter(part.name, part.default) for part in one.parameters], own.example(one))
        for one in sorted(macros(), key=lambda one: one.name)
    ]


def _parameter(name: str, default: str) -> str:
    return f"{option(name)} {kind(name)}" if not default else f"[{option(name)} {kind(name)}]"


def _own(session: Session) -> _Own:
    def rows(query: str) -> list[tuple[str, ...]]:
        return session.ask(query).rows("FROM {answer}")

    events, segments = [event for (event,) in rows(_EVENTS)], [segment for (segment,) in rows(_SEGMENTS)]
    goal, amount = next(iter(rows(_AMOUNTS)), (events[-1] if events else "", ""))
    steps = [*[event for event in events if event != goal][:2], *([goal] if goal else [])]
    one, other = (segments * 2)[:2] or ("", "")
    space, profile, trait, moment = next(iter(rows(_PERSON)), ("", "", "", ""))
    first = steps[0] if steps else ""
    events_named = {"start_event": first, **dict.fromkeys(("event_name", "conversion_event", "order_event"), goal)}
    people = {"space_name": space, "profile": profile, "trait_name": trait, "moment": moment}
    named = {"segment_name": one, "segment_names": ",".join(segments), "one": one, "other": other}
    return _Own({"steps": ",".join(steps), "amount": amount, **events_named, **named, **people})


def print_offered(found: list[Offered]) -> None:
    """Each with what it gives and its example."""
    wide = max(len(one.name) for one in found)
    for one in found:
        out.print(styled(one.name.ljust(wide), "bold").append(f"  {one.gives}", "not bold"))
        if one.example:
            out.print(styled(f"{' ' * wide}  {one.example}", "cyan"))
    out.print("\nAll parameters of one: skep report NAME --help. As JSON, a picture or a page: --json, --png FILE, --html FILE.")
