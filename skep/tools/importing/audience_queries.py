"""Audiences of Segment: definitions in its query language, alone as text or in JSON as its Public API has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from skep.project.errors import CommandError
from skep.tools.importing.draft import Clause, DraftedSegment, duration, every, missing, named, negated, some, spellings

CASE = "case counts here: `ignore_case: true` beside it folds it"
DAYS = "Segment counts whole dates; here it is to the microsecond"
_TOKEN = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\d*\.?\d+)|(>=|<=|!=|==|[=<>.,():{}])|([A-Za-z_]\w*))")
_SIGNS = {"=": "equals", "==": "equals", "!=": "differs", ">": "greater_than", ">=": "at_least", "<": "less_than", "<=": "at_most"}
_WORDS = {"equals": "eq", "differs": "ne", "greater_than": "gt", "at_least": "gte", "less_than": "lt", "at_most": "lte",
          "starts_with": "starts_with", "ends_with": "ends_with", "before_date": "before", "after_date": "after"}  # fmt: skip
_RELATIVE = {"within_last": "within", "within_next": "in_next", "before_last": "older_than"}
_MEASURES = frozenset({"sum", "avg", "max", "min", "first", "last"})


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its arguments: chains, texts, numbers, durations as ``(number, unit)``, conditions; ``parent``: so it says."""

    name: str
    arguments: tuple[Any, ...] = ()
    parent: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """Functions in a row, from the extractor on."""

    calls: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """``AND``, ``OR``, ``NOT``, ``ANY`` or ``ALL`` with what it joins."""

    word: str
    parts: tuple[Any, ...]


def read(document: Any) -> list[DraftedSegment]:
    """Audiences of an API's answer, a list of them, or the text of one query."""
    if isinstance(document, str):
        document = [{"key": "audience", "definition": document}]
    found = document.get("data", document) if isinstance(document, dict) else document
    if isinstance(found, dict):
        found = found.get("audiences") or [found.get("audience") or found]
    names: dict[str, str] = {}
    for one in found:
        names[str(one.get("key") or one.get("id") or len(names))] = named(
            str(one.get("key") or one.get("name") or "audience"), names.values()
        )
    return [
        DraftedSegment(name, str(one.get("name") or ""), _Read(_query(one), names).who())
        for one, name in zip(found, names.values(), strict=True)
    ]


def _query(audience: Mapping[str, Any]) -> str:
    definition = audience.get("definition")
    found = definition.get("query") if isinstance(definition, dict) else definition
    if not isinstance(found, str):
        raise CommandError(f"expected an audience with a definition, found none in {audience.get('key') or audience.get('name') or 'one'}")
    return found


class Parser:
    """A query as a tree."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens = text, list(self._read(text))
        self._at = 0

    def _read(self, text: str) -> Iterator[tuple[str, Any]]:
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise CommandError(f"expected a query in Segment's language, found {text[at : at + 20]!r} in {text[:60]!r}")
            single, double, digits, sign, word = found.groups()
            if single is not None or double is not None:
                yield "text", re.sub(r"\\(.)", r"\1", single if single is not None else double)
            elif digits is not None:
                yield "number", float(digits) if "." in digits else int(digits)
            else:
                yield ("sign", sign) if sign else ("word", word)
            at = found.end()

    def parsed(self) -> Any:
        found = self._any()
        if self._at < len(self._tokens):
            self._fail("the end")
        return found

    def _fail(self, expected: str) -> None:
        found = self._tokens[self._at][1] if self._at < len(self._tokens) else "the end"
        raise CommandError(f"expected {expected}, found {found!r} in {self._text[:60]!r} → Segment's query language has it otherwise")

    def _is(self, kind: str, value: Any = None) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at][0] == kind and value in {None, self._tokens[self._at][1]}

    def _take(self, kind: str, value: Any = None) -> Any:
        if not self._is(kind, value):
            self._fail(str(value or kind))
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _any(self) -> Any:
        parts = [self._all()]
        while self._is("word", "OR"):
            self._at += 1
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Junction("OR", tuple(parts))

    def _all(self) -> Any:
        parts = [self._one()]
        while self._is("word", "AND"):
            self._at += 1
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Junction("AND", tuple(parts))

    def _one(self) -> Any:
        for word in ("NOT", "ANY", "ALL"):
            if self._is("word", word):
                self._at += 1
                return Junction(word, (self._one(),))
        if self._is("sign", "("):
            self._at += 1
            found = self._any()
            self._take("sign", ")")
            return found
        return self._chain()

    def _chain(self) -> Chain:
        calls = [self._call()]
        while self._is("sign", "."):
            self._at += 1
            calls.append(self._call())
        if self._at < len(self._tokens) and self._tokens[self._at][1] in _SIGNS and self._tokens[self._at][0] == "sign":
            sign = self._take("sign")
            calls.append(Function(_SIGNS[sign], (self._operand(),)))
        return Chain(tuple(calls))

    def _operand(self) -> Any:
        for kind in ("text", "number"):
            if self._is(kind):
                return self._take(kind)
        if self._is("word", "true") or self._is("word", "false"):
            return self._take("word") == "true"
        return self._chain()

    def _call(self) -> Function:
        name = self._take("word")
        self._take("sign", "(")
        arguments: list[Any] = []
        parent = False
        if self._is("word", "parent"):
            self._at += 1
            self._take("sign", ":")
            parent = True
        while not self._is("sign", ")"):
            arguments.append(self._any() if name == "where" else self._argument())
            if self._is("sign", ","):
                self._at += 1
        self._take("sign", ")")
        return Function(name, tuple(arguments), parent)

    def _argument(self) -> Any:
        if self._is("sign", "{"):
            # Of a function that we do not have: read to its end.
            while not self._is("sign", "}"):
                self._at += 1
            self._at += 1
            return "{…}"
        if self._is("number"):
            amount = self._take("number")
            return (amount, self._take("word")) if self._is("word") else amount
        found = self._operand()
        if self._is("word", "as"):
            self._at += 1
            return (found, self._take("word"))
        return found


class _Read:
    """One query as a condition of ours."""

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._tree, self._names = Parser(text).parsed(), names

    def who(self) -> Clause:
        return self._condition(self._tree)

    def _condition(self, tree: Any) -> Clause:
        if isinstance(tree, Junction):
            parts = [self._condition(one) for one in tree.parts] if tree.word in {"AND", "OR", "NOT"} else []
            match tree.word:
                case "AND":
                    return every(parts)
                case "OR":
                    return some(parts)
                case "NOT":
                    return negated(parts[0])
            return missing(tree.word, "a condition on all or any users of an account")
        first = tree.calls[0]
        if first.name == "trait":
            return self._trait(str(first.arguments[0]), tree.calls[1:])
        if first.name == "event":
            return self._event(tree.calls)
        return missing(first.name, f"a definition that begins with {first.name}")

    def _trait(self, name: str, calls: tuple[Function, ...]) -> Clause:
        comparison = calls[0] if calls else Function("exists")
        if name in self._names and comparison.name == "equals" and comparison.arguments[0] in {True, False, "true", "false"}:
            inside = Clause({"segment": self._names[name]})
            return inside if comparison.arguments[0] in {True, "true"} else negated(inside)
        found = _predicate(comparison, "trait")
        if found is None:
            return missing(f"trait {name} {comparison.name}", f"the comparison {comparison.name}")
        predicate, note, negative = found
        node = Clause({"trait": name, **predicate}).noted(note)
        return negated(node) if negative else node

    def _event(self, calls: tuple[Function, ...]) -> Clause:
        event, notes = str(calls[0].arguments[0]), list[str]()
        window: dict[str, Any] = {}
        wheres: list[Any] = []
        measure, comparison = Function("count"), Function("at_least", (1,))
        for at, call in enumerate(calls[1:], 1):
            if call.name == "where":
                wheres.append(call.arguments[0])
            elif call.name in {"within", "between"} and all(isinstance(one, tuple) for one in call.arguments):
                lengths = [duration(*one) for one in call.arguments]
                notes += [note for _, note in lengths]
                ends = sorted((one for one, _ in lengths), key=lambda text: -_length(text))
                window = {"within": ends[0]} if call.name == "within" else {"ago": ends}
            elif call.name in {"count", "unique", *_MEASURES}:
                measure = call if not (call.name == "count" and measure.name == "unique") else measure
            elif call.name in {"sources", "mode"}:
                return missing(f"{event} {call.name}", f"the function {call.name}")
            else:
                comparison = calls[at]
        built = self._with_wheres(event, wheres, window, (measure, comparison))
        return built.noted(*notes)

    def _with_wheres(self, event: str, wheres: list[Any], window: dict[str, Any], asked: tuple[Function, Function]) -> Clause:
        """Alternatives of properties are alternatives of events: if one is asked for, whichever it is."""
        measure, comparison = asked
        tree = wheres[0] if len(wheres) == 1 else Junction("AND", tuple(wheres)) if wheres else None
        ways = [()] if tree is None else list(_ways(tree))
        once = measure.name == "count" and (comparison.name, comparison.arguments[:1]) in {("at_least", (1,)), ("greater_than", (0,))}
        never = measure.name == "count" and (comparison.name, comparison.arguments[:1]) in {("equals", (0,)), ("less_than", (1,))}
        if len(ways) > 1 and not once and not never:
            return missing(f"{event} where … OR …", "alternatives of properties of events that are counted together")
        found = some(
            [self._one(event, way, window, asked if not never or len(ways) == 1 else (measure, Function("at_least", (1,)))) for way in ways]
        )
        return negated(found) if never and len(ways) > 1 else found

    def _one(self, event: str, way: tuple[Any, ...], window: dict[str, Any], asked: tuple[Function, Function]) -> Clause:
        measure, comparison = asked
        where: dict[str, Any] = {}
        notes: list[str] = []
        followed: Chain | None = None
        for chain, wanted in way:
            first = chain.calls[0]
            if first.name == "event" and wanted and followed is None:
                followed = chain
                continue
            found = _predicate(chain.calls[1], "where") if first.name in {"property", "context"} and len(chain.calls) > 1 else None
            if found is None or found[2] or not wanted or first.parent:
                return missing(f"{event} where {first.name}", "such a condition on an event")
            path = str(first.arguments[0]) if first.name == "property" else f"context.{first.arguments[0]}"
            predicate = found[0]["eq"] if list(found[0]) == ["eq"] else found[0]
            if path in where:
                return missing(f"{event} where {path}", "two conditions on one property: write them as one")
            where[path] = predicate
            notes.append(found[1])
        did: dict[str, Any] = {"did": event, **({"where": where} if where else {})}
        if followed is not None:
            return _followed(did, followed, window, comparison).noted(*notes)
        return _measured({**did, **window}, measure, comparison).noted(*notes)


def _ways(tree: Any, *, wanted: bool = True) -> Iterator[tuple[Any, ...]]:
    """The alternatives of a condition on an event, each as chains that hold together."""
    if isinstance(tree, Junction) and tree.word == "NOT":
        yield from _ways(tree.parts[0], wanted=not wanted)
    elif isinstance(tree, Junction) and (tree.word == "OR") is wanted:
        for part in tree.parts:
            yield from _ways(part, wanted=wanted)
    elif isinstance(tree, Junction):
        for chosen in product(*(list(_ways(part, wanted=wanted)) for part in tree.parts)):
            yield tuple(one for way in chosen for one in way)
    else:
        yield ((tree, wanted),)


def _measured(did: dict[str, Any], measure: Function, comparison: Function) -> Clause:
    found = _predicate(comparison, "measure")
    if found is None:
        return missing(f"{did['did']} {measure.name} {comparison.name}", f"the comparison {comparison.name}")
    predicate, note, negative = found
    if measure.name == "count":
        body = {**did, **({} if predicate == {"gte": 1} else {"times": predicate})}
    else:
        path = measure.arguments[0] if measure.arguments else None
        path, kind = path if isinstance(path, tuple) else (path, "")
        if not isinstance(path, Chain) or kind == "string":
            return missing(f"{did['did']} {measure.name}", f"such a {measure.name}")
        word = "distinct" if measure.name == "unique" else measure.name
        body = {**did, word: str(path.calls[0].arguments[0]), **predicate}
    return (negated(Clause(body)) if negative else Clause(body)).noted(note)


def _followed(did: dict[str, Any], then: Chain, window: dict[str, Any], comparison: Function) -> Clause:
    """A funnel: the event, and behind it, in so long, another one, or none."""
    name, lengths = str(then.calls[0].arguments[0]), [call.arguments[0] for call in then.calls if call.name == "within" and call.parent]
    last = then.calls[-1]
    often = (comparison.name, comparison.arguments[:1]) in {("at_least", (1,)), ("greater_than", (0,))}
    never = (last.name, last.arguments[:1]) in {("equals", (0,)), ("less_than", (1,))}
    once = (last.name, last.arguments[:1]) in {("at_least", (1,)), ("greater_than", (0,))}
    if (
        len(lengths) != 1
        or not isinstance(lengths[0], tuple)
        or not often
        or not (once or never)
        or any(one.name == "where" for one in then.calls)
    ):
        return missing(f"{did['did']} and then {name}", "such a funnel: see `sequence`")
    length, note = duration(*lengths[0])
    step: dict[str, Any] = {"not": {"did": name}, "within": length} if never else {"did": name, "within": length}
    body = {"sequence": [did, step], **({"within": window["within"]} if "within" in window else {})}
    return Clause(body).noted(note, "the second event comes strictly later, and in less than that time")


def _predicate(call: Function, of: str) -> tuple[dict[str, Any], str, bool] | None:
    """The predicates, a note, and whether they are to be negated."""
    values = call.arguments
    if any(isinstance(one, Chain) for one in values):
        other = values[0].calls[0]
        kind = "trait" if other.name == "trait" else "property"
        if call.name not in _WORDS or (of == "where") is (kind == "trait") or of == "measure":
            return None
        return {_WORDS[call.name]: {kind: str(other.arguments[0])}}, "", False
    match call.name:
        case "exists":
            return {"exists": True}, "", False
        case "absent":
            return {"exists": False}, "", False
        case "contains":
            return ({"contains": values[0]} if len(values) == 1 else {"contains_any": list(values)}), CASE, False
        case "omits" if of == "trait":
            return {"contains": values[0]}, CASE, True
        case "omits":
            return {"not_contains": values[0]}, CASE, False
        case "one_of":
            return {"in": list(values)}, "", False
        case "equals" if len(spellings(values[0])) > 1 and isinstance(values[0], str):
            return {"in": spellings(values[0])}, "a number or boolean and its text are both meant", False
    if call.name in _RELATIVE and of == "trait" and isinstance(values[0], tuple):
        length, note = duration(*values[0])
        return {_RELATIVE[call.name]: length}, note or DAYS, False
    if call.name not in _WORDS or not values:
        return None
    return {_WORDS[call.name]: values[0]}, CASE if call.name.endswith("_with") else "", False


def _length(text: str) -> float:
    return float(text[:-1]) * {"h": 1, "d": 24, "w": 168}.get(text[-1], 0)
