"""`skep segments test`: the cases of contracts/segments/tests, each through the operators of the flow under a simulated clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.reading.segment_tests import FOLDER, Expected, SegmentCase, read_cases
from contracts.text.problems import ContractErrors, Problem
from contracts.text.times import iso
from contracts.text.yaml_tree import Reader
from operators.extract import Identifiers
from operators.judge import Judge
from operators.records import Person
from operators.sandbox import Sandbox
from operators.segments.explain import Reason, explain
from skep.answers.simulation.lines import Lines, ordered
from skep.answers.simulation.run import PARTITION, Feeding, store
from skep.project.judging import tolerance
from skep.project.settings import Settings, definitions_of, written_files

_WITHOUT_LIMIT = 1 << 60


class Differs(msgspec.Struct, frozen=True):
    """An expectation that does not come true. ``found``: what is so instead; ``first``: the first condition that differs, and ``why``, all
    of them; None where nobody has the identifier."""

    line: int
    who: str
    at: str
    expected: str
    found: str
    first: str | None
    why: Reason | None


class CaseResult(msgspec.Struct, frozen=True):
    """A case; it has passed if nothing ``differs``."""

    file: str
    line: int
    name: str
    segment: str
    expected: int
    differs: list[Differs]


def tested(settings: Settings) -> list[CaseResult]:
    """Every case, in order of files and lines. Raises `ContractErrors` for definitions, cases and events that are wrong."""
    # Not as they are kept: hashes of lists are of the project's spaces, and cases run apart from these.
    definitions = definitions_of(settings, written_files(settings))
    allowed = tolerance(settings)
    allowed["future_skew_us"] = _WITHOUT_LIMIT
    judge = Judge(definitions, **allowed)
    problems: list[Problem] = []
    ready = [(case, _events(judge, case, problems)) for case in _cases(settings, definitions, problems)]
    if problems:
        raise ContractErrors(problems)
    return [
        CaseResult(f"contracts/{c.file}", c.line, c.name, c.segment, len(c.expected), list(_run(definitions, judge, c, events)))
        for c, events in ready
    ]


def _cases(settings: Settings, definitions: Definitions, problems: list[Problem]) -> Iterator[SegmentCase]:
    names = frozenset(one.name for one in definitions.segments)
    folder: Path = settings.root / "contracts"
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        place = path.relative_to(folder).as_posix()
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(place, 1, "", "a readable file in UTF-8", str(error)))
            continue
        reader = Reader(problems)
        tree = reader.parse(place, text)
        if tree is not None:
            yield from read_cases(reader, tree, names)


def _events(judge: Judge, case: SegmentCase, problems: list[Problem]) -> list[Event]:
    found: list[Event] = []
    for position, (body, line) in enumerate(case.events, 1):
        one = judge.judge(orjson.dumps(body), position, 0)
        if isinstance(one, Event):
            found.append(one)
        else:
            problems.append(Problem(case.file, line, "events", "an event that is accepted", f"{one.reason}: {one.detail}"))
    return ordered(found)


def _run(definitions: Definitions, judge: Judge, case: SegmentCase, events: list[Event]) -> Iterator[Differs]:
    """At each moment that is asked, and right before it where somebody is to have entered or left then."""
    lines = Lines(events, [], [])
    moments = {one.at_us - before for one in case.expected for before in (0, one.side in {"entered", "left"})}
    inside: dict[tuple[str, int], bool] = {}
    reasons: dict[tuple[str, int], Reason] = {}
    before = None
    with store(definitions, judge) as box:
        feeding = Feeding(box, lines, lambda *_: None)
        bit = box.view.program.bit(case.segment)
        for moment in sorted(moments):
            feeding.feed(lines.between(before, moment))
            box.come_to(PARTITION, moment)
            before = moment
            for who in {one.who for one in case.expected}:
                person = _held(box, definitions, who)
                inside[who, moment] = person is not None and int.from_bytes(person.bits, "little") & bit != 0
                if person is not None:
                    reasons[who, moment] = explain(person, box.view.program, case.segment, moment)
    for one in case.expected:
        now, then = inside[one.who, one.at_us], inside.get((one.who, one.at_us - 1), False)
        yield from _differs(one, now=now, then=then, why=reasons.get((one.who, one.at_us)))


def _held(box: Sandbox, definitions: Definitions, who: str) -> Person | None:
    namespace, _, value = who.partition(":")
    if namespace not in {one.name for one in definitions.identity.namespaces}:
        return None
    normal = Identifiers(definitions.identity).normalize(namespace, value)
    return None if normal is None else box.view.profiles.holder(namespace, normal[1])


def _differs(one: Expected, *, now: bool, then: bool, why: Reason | None) -> Iterator[Differs]:
    wanted = one.side in {"in", "entered"}
    changed = one.side in {"in", "out"} or then is not wanted
    if now is wanted and changed:
        return
    found = ("in" if now else "out") if now is not wanted else f"{'in' if now else 'out'} already"
    if why is None:
        found = f"nobody has {one.who} by then"
    first = None if why is None or now is wanted else first_that_differs(why, wanted=wanted)
    yield Differs(one.line, one.who, iso(one.at_us), one.side, found, None if first is None else f"{first.form} {first.says}", why)


def first_that_differs(reason: Reason, *, wanted: bool) -> Reason:
    """The first condition by which a reason is not as it was wanted."""
    if reason.form == "not" and reason.of:
        return first_that_differs(reason.of[0], wanted=not wanted)
    within = [one for one in reason.of if one.holds is not wanted]
    return first_that_differs(within[0], wanted=wanted) if within else reason
