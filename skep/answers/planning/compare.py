"""People before and after: who merges, splits and changes id, who enters and leaves, what destinations are told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import orjson
from msgspec.structs import replace

from contracts.model.definitions import MEMBERSHIPS, Definitions
from contracts.model.hashing import profile_id
from operators.activation.audience import Audience
from operators.view.accounts import traits_of
from operators.view.space import View
from skep.answers.planning.answer import Changes, Ids, Members, Moved, Person, Plan, Sample, Sizes, Some, Turnover
from skep.answers.planning.trial import Trial

SAMPLES = 10
SHOWN = 10
"""Identifiers of a sample that are listed; the others are counted."""

Pair = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Homes:
    """Where identifiers are."""

    of: dict[Pair, str]
    """Identifier → profile id."""
    held: dict[str, list[Pair]]
    """Profile id → its identifiers, in rank; a profile without any is there, too."""

    @classmethod
    def read(cls, view: View) -> _Homes:
        names = [each.name for each in view.program.definitions.identity.namespaces]
        held = {
            profile_id(person.key): [
                (names[each.namespace], each.value) for each in sorted(person.identifiers, key=lambda each: (each.namespace, each.value))
            ]
            for person in view.people()
        }
        return cls({pair: profile for profile, pairs in held.items() for pair in pairs}, held)

    def row(self, profile: str) -> Person:
        pairs = self.held.get(profile, [])
        return Person(profile, [list(pair) for pair in pairs[:SHOWN]], max(0, len(pairs) - SHOWN))


def compare(plan: Plan, trial: Trial, definitions: Definitions) -> Plan:
    """The plan, and what is not the same before and after."""
    before, after = _Homes.read(trial.before), _Homes.read(trial.after)
    sources: dict[str, set[str]] = defaultdict(set)
    targets: dict[str, set[str]] = defaultdict(set)
    moved = 0
    for pair, was in before.of.items():
        now = after.of.get(pair)
        if now is not None:
            sources[now].add(was)
            targets[was].add(now)
            moved += was != now
    merges = sorted(profile for profile, made_of in sources.items() if len(made_of) > 1)
    splits = sorted(profile for profile, parts in targets.items() if len(parts) > 1)
    vanish, appear = before.held.keys() - after.held.keys(), after.held.keys() - before.held.keys()

    def sample(was: Iterable[str], now: Iterable[str]) -> Sample:
        return Sample([before.row(one) for one in sorted(was)][:SHOWN], [after.row(one) for one in sorted(now)][:SHOWN])

    return replace(
        plan,
        recomputed=True,
        people=Sizes(trial.before.meta.people, trial.after.meta.people),
        cost=trial.cost,
        merge=_some(merges, lambda one: sample(sources[one], [one])),
        split=_some(splits, lambda one: sample([one], targets[one])),
        id=Ids(
            _some(sorted(vanish), lambda one: sample([one], targets.get(one, ()))),
            _some(sorted(appear), lambda one: sample(sources.get(one, ()), [one])),
        ),
        identifiers=Moved(moved, len(after.of.keys() - before.of.keys()), len(before.of.keys() - after.of.keys())),
        events=_events(trial) if trial.cost.anew else 0,
        segments=_segments(trial, before, after, definitions),
        destinations=_destinations(trial.told, definitions),
        traits=_traits(trial),
    )


def _some(found: list[str], sample: Callable[[str], T]) -> Some[T]:
    return Some(len(found), [sample(one) for one in found[:SAMPLES]])


def _events(trial: Trial) -> int:
    was = dict(trial.before.events.attributions())
    differ = sum(was.pop(message, None) != profile for message, profile in trial.after.events.attributions())
    return differ + len(was)


def _segments(trial: Trial, before: _Homes, after: _Homes, definitions: Definitions) -> dict[str, Members]:
    entered: dict[str, list[str]] = defaultdict(list)
    left: dict[str, list[str]] = defaultdict(list)
    for line in trial.told:
        change = orjson.loads(line)
        if change["type"] in {"segment.entered", "segment.exited"}:
            (entered if change["type"] == "segment.entered" else left)[change["segment"]].append(change["profile"])
    sizes, told = (trial.before.meta.sizes, trial.after.meta.sizes), _turnovers(trial.told, definitions)
    return {
        name: Members(
            sizes[0].get(name, 0), sizes[1].get(name, 0), _some(sorted(entered[name]), after.row), _some(sorted(left[name]), before.row),
            told.get(name, {}),
        )
        for name in sorted(entered.keys() | left.keys())
    }  # fmt: skip


def _turnovers(told: list[bytes], definitions: Definitions) -> dict[str, dict[str, Turnover]]:
    """By segment and destination."""
    found: dict[str, dict[str, Turnover]] = {}
    moves = [line for line in told if b'"segment.' in line]
    for each in definitions.destinations:
        counts: Counter[tuple[str, str]] = Counter()
        for _, line in Audience.of(each, definitions).told(enumerate(moves)):
            change = orjson.loads(line)
            if change["type"] in MEMBERSHIPS:
                counts[change["segment"], change["type"]] += 1
        for name in {segment for segment, _ in counts}:
            found.setdefault(name, {})[each.name] = Turnover(counts[name, "segment.entered"], counts[name, "segment.exited"])
    return found


def _destinations(told: list[bytes], definitions: Definitions) -> dict[str, Changes]:
    found = {}
    for each in (one for one in definitions.destinations if one.changes):
        audience = Audience.of(each, definitions)
        kinds = Counter(orjson.loads(line)["type"] for _, line in audience.told(enumerate(told)))
        found[each.name] = Changes(kinds.total(), dict(sorted(kinds.items())))
    return found


def _traits(trial: Trial) -> dict[str, int]:
    counts: Counter[str] = Counter()
    after = dict(_values(trial.after))
    for key, was in _values(trial.before):
        now = after.get(key)
        if now is not None:
            counts.update(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    return dict(sorted(counts.items()))


def _values(view: View) -> Iterator[tuple[bytes, dict[str, bytes]]]:
    """By profile: each trait's value as canonical JSON."""
    program, now = view.program, view.at(None)
    for person in view.people():
        traits = traits_of(person, program, now)
        yield person.key, {name: orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for name, value in traits.items()}
