"""Why somebody is, or is not, a member of a segment: its conditions as a tree, each with what the person has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from contracts.language.claims import moves
from contracts.language.forms.account import account_words
from contracts.language.forms.trait import lasting_text
from contracts.model.definitions import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    ConsentIs,
    Did,
    HasIdentifier,
    InAccount,
    InactiveFor,
    InOrder,
    MemberOf,
    NewWithin,
    Not,
    Segment,
    TraitIs,
)
from contracts.model.of_identifiers import InList, Sampled
from contracts.text.durations import duration_text
from contracts.text.numbers import number_text
from contracts.text.times import iso
from operators.profile import next_change
from operators.records import Person
from operators.segments.compile import Program
from operators.segments.forms import evaluator
from operators.segments.identified import choosing, in_list
from operators.segments.on_accounts import OnAccounts
from operators.segments.passage import passed
from operators.segments.paths import values
from operators.segments.predicates import canonical
from operators.segments.words import beside_words, did_words, predicate_words, step_words
from operators.stays import belongs
from schemalogic.paths import parse_path

MOMENTS_MAX = 10_000
"""How many of a person's next moments are looked at for the one at which a condition turns."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A condition and what became of it.

    ``form``: ``all any at_least not trait did sequence segment consent new_within inactive_for has sample in_list account
    confidence``, below a sequence ``step``, or ``awaited`` of the one that is waited for. ``says``: the condition in words, without
    its parts. ``value``: what the person has, as JSON; of a path with ``[]`` a list, of ``account`` those that are belonged to, of a
    step the message id and time of the event behind it, or of the one that broke it; None where there is
    nothing, and of what has parts. ``capped``: a count is
    kept no further than conditions ask, so there may be more. ``default``, of a consent: what counts while nothing is ``decided``.
    ``until``: when it turns by itself; None: not by itself (or not in the next `MOMENTS_MAX` moments), ISO 8601.
    ``events``: those that the value comes from, each with ``time``, ``event`` and ``message_id``, the newest, and how many are
    ``earlier``, where somebody has looked (`operators.segments.behind`).
    """

    form: str
    says: str
    holds: bool
    value: Any = None
    capped: bool = False
    decided: bool | None = None
    default: bool | None = None
    until: str | None = None
    of: tuple[Reason, ...] = ()
    events: tuple[dict[str, str], ...] = ()
    earlier: int = 0


def explain(person: Person, program: Program, segment: str, at_us: int) -> Reason:
    """The reason of a segment, by name, at a time (µs, not before the clock). Raises KeyError for one that there is not."""
    return _Explained(person, program, at_us).segment(next(one for one in program.segments if one.name == segment))


class _Explained:
    """What is asked of one person at one time."""

    def __init__(self, person: Person, program: Program, at_us: int) -> None:
        self._person, self._program, self._at = person, program, at_us
        self._bits = program.members(person, at_us)

    def segment(self, segment: Segment) -> Reason:
        parts = [self._condition(segment.who, segment.timezone)]
        if segment.purpose is not None:
            parts.insert(0, self._consent(segment.purpose))
        if segment.confidence is not None:
            sure = self._person.certainty
            says = f"confidence at least {segment.confidence:g}"
            parts.insert(0, Reason("confidence", says, sure >= segment.confidence, sure))
        bit = self._program.bit(segment.name)
        return Reason("segment", segment.name, self._bits & bit != 0, until=self._turns(MemberOf(segment.name), "UTC"), of=tuple(parts))

    def _condition(self, condition: Condition, zone: str) -> Reason:
        match condition:
            case AtLeast(n):
                return Reason(
                    "at_least",
                    f"at least {n} of",
                    self._holds(condition, zone),
                    of=tuple(self._condition(each, zone) for each in condition.of),
                )
            case All() | AnyOf() | Not():
                says = "not" if isinstance(condition, Not) else f"{condition.form} of"
                return Reason(
                    condition.form, says, self._holds(condition, zone), of=tuple(self._condition(each, zone) for each in condition.parts)
                )
            case InAccount(of):
                mine = sorted(account for account, calls in self._person.accounts.items() if belongs(calls))
                return Reason("account", account_words(of), self._holds(condition, zone), mine or None)
            case MemberOf(segment):
                return self.segment(next(one for one in self._program.segments if one.name == segment))
            case ConsentIs(purpose):
                return self._consent(purpose)
            case NewWithin(length) | InactiveFor(length):
                seen = self._person.first if isinstance(condition, NewWithin) else self._person.last
                until = self._turns(condition, zone)
                return Reason(
                    condition.form, duration_text(length), self._holds(condition, zone), None if seen is None else iso(seen), until=until
                )
            case HasIdentifier() | Sampled() | InList():
                return self._identifiers(condition, zone)
            case Did():
                return self._did(condition, zone)
            case InOrder():
                return self._sequence(condition, zone)
            case TraitIs(path, predicates):
                until = self._turns(condition, zone) if condition.lasting or any(map(moves, predicates)) else None
                says = f"{path} {predicate_words(predicates)}{lasting_text(condition)}"
                return Reason("trait", says, self._holds(condition, zone), self._trait(path), until=until)

    def _identifiers(self, condition: HasIdentifier | Sampled | InList, zone: str) -> Reason:
        """The value: of `has` those of the namespace, of `sample` the one that chooses, of `in_list` those that are in it."""
        definitions, holds = self._program.definitions, self._holds(condition, zone)
        names = [namespace.name for namespace in definitions.identity.namespaces]
        match condition:
            case HasIdentifier(namespace, predicates):
                says = f"{namespace} {predicate_words(predicates)}".rstrip()
                mine: Any = sorted(each.value for each in self._person.identifiers if names[each.namespace] == namespace)
            case Sampled(percent, seed, by):
                says = f"{number_text(percent)} % with seed {seed}{'' if by is None else f' by {by}'}"
                one = choosing(self._person, None if by is None else names.index(by))
                mine = None if one is None else f"{names[one.namespace]}:{one.value}"
            case InList(name):
                says, test = name, in_list(definitions, condition)
                inside = [each for each in self._person.identifiers if test(Person(each.hash, [each], {}))]
                mine = sorted(f"{names[each.namespace]}:{each.value}" for each in inside)
        return Reason(condition.form, says, holds, mine or None)

    def _holds(self, condition: Condition, zone: str) -> bool:
        return evaluator(self._program, condition, zone)(self._person, self._at, self._bits)

    def _consent(self, purpose: str) -> Reason:
        granted, default = self._person.granted.get(purpose), self._program.defaults.get(purpose, False)
        holds = default if granted is None else granted
        return Reason("consent", purpose, holds, holds, decided=granted is not None, default=default)

    def _did(self, condition: Did, zone: str) -> Reason:
        program = self._program
        feature, at = program.definitions.features[condition.feature], program.number[condition.feature]
        cell, found = program.cells[at], program.cell(self._person, at)
        until = self._turns(condition, zone) if cell.windowed else None
        capped = feature.cap is not None and feature.by is None and cell.value(found, self._at) >= feature.cap
        says, shown = did_words(feature, condition.predicates), cell.shown(found, self._at)
        return Reason("did", says, self._holds(condition, zone), shown, capped, until=until)

    def _sequence(self, condition: InOrder, zone: str) -> Reason:
        program = self._program
        feature, cell = program.definitions.features[condition.feature], program.cell(self._person, program.number[condition.feature])
        steps = zip(feature.option("steps"), passed(feature, cell, self._at), strict=True)
        of = tuple(
            Reason(
                "awaited" if one.awaited else "step", step_words(step), one.holds,
                None if one.event is None else {"message_id": one.event[1], "time": iso(one.event[0])},
                until=None if one.until is None else iso(one.until),
            )
            for step, one in steps
        )  # fmt: skip
        return Reason("sequence", beside_words(feature), self._holds(condition, zone), until=self._turns(condition, zone), of=of)

    def _trait(self, path: str) -> Any:
        name, *rest = parse_path(path)
        at = self._program.computed.get(str(name))
        if at is not None and self._program.cells[at].unit is not None:
            return self._program.cells[at].shown(self._program.cell(self._person, at), self._at)
        if str(name) in self._program.derived and not rest:
            return self._program.shown(self._person, str(name), self._at)
        found = [canonical(value) for value in values(tuple(rest), self._program.trait(self._person, str(name), self._at))]
        return found if None in rest else found[0]

    def _turns(self, condition: Condition, zone: str) -> str | None:
        """The first moment at which a condition is no longer what it is."""
        evaluate = evaluator(self._program, condition, zone)
        now = evaluate(self._person, self._at, self._bits)
        return next((iso(moment) for moment, bits in self._ahead if evaluate(self._person, moment, bits) is not now), None)

    @cached_property
    def _ahead(self) -> list[tuple[int, int]]:
        """The moments to come at which something may change by itself, and the memberships then."""
        return list(self._moments())

    def _moments(self) -> Iterator[tuple[int, int]]:
        moment = self._next(self._at)
        for _ in range(MOMENTS_MAX):
            if moment is None:
                return
            yield moment, self._program.members(self._person, moment)
            moment = self._next(moment)

    def _next(self, moment: int) -> int | None:
        """The next moment at which something changes by itself, of the person or of an account that is belonged to."""
        changes = [next_change(self._person, self._program, moment)]
        changes += [next_change(account, self._on_accounts, moment) for account in self._accounts]
        return min((each for each in changes if each is not None), default=None)

    @cached_property
    def _on_accounts(self) -> OnAccounts:
        return OnAccounts(self._program.definitions)

    @cached_property
    def _accounts(self) -> list[Person]:
        """The accounts that are belonged to, if something of them changes by itself."""
        mine = (self._program.account_of(account) for account, calls in self._person.accounts.items() if belongs(calls))
        return [account for account in mine if account is not None] if self._on_accounts.counts else []
