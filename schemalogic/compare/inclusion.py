"""Is everything that is valid under one schema valid under another, and if not: what, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from schemalogic.compare.merging import EndlessReference
from schemalogic.compare.nodes import Literal
from schemalogic.compare.question import Question, Schema
from schemalogic.compare.reasons import Reason, explain
from schemalogic.compare.verdicts import IMPOSSIBLE, UNDECIDED, Clock, Found, OutOfTime, Verdict
from schemalogic.document import BrokenReference
from schemalogic.keywords import UnreadableDraft
from schemalogic.patterns import PatternError
from schemalogic.validation import compile_schema

REASONS_MAX = 20
_MORE_SECONDS = 1.0
"""For the reasons after the first one."""
_DEPTH = 12
"""How many levels of a document the reasons go down one by one."""
_WITHIN = frozenset({"property", "matching", "rest", "item", "tail"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the one schema is included in the other; ``undecided``: that was neither proven nor refuted."""

    compatible: bool
    undecided: bool = False
    reasons: list[Reason] = field(default_factory=list)


def included(old: Any, new: Any, budget_s: float = 7.0) -> Answer:
    """Whether every document that is valid under ``old`` is valid under ``new``, within ``budget_s`` seconds.

    Each is a `Schema`, or a raw one that refers to no types.
    """
    clock = Clock(budget_s)
    try:
        question = Question([_parsed(old), _parsed(new)], clock)
        under_old, under_new = question.literals
        found = question.ask([under_old, -under_new], (True, False))
    except (OutOfTime, RecursionError, EndlessReference):
        return _undecided()
    if found is IMPOSSIBLE:
        return Answer(compatible=True)
    if not isinstance(found, Found):
        return _undecided()
    reasons = [explain(question, found.document)]
    clock.shorten(_MORE_SECONDS)
    for document in _others(question, under_old, under_new):
        reason = explain(question, document)
        if all(reason.place != one.place for one in reasons):
            reasons.append(reason)
        if len(reasons) >= REASONS_MAX:
            break
    return Answer(compatible=False, reasons=reasons)


def satisfiable(schemas: list[tuple[Any, bool]], budget_s: float = 7.0, *, types: Mapping[str, Any] | None = None) -> Verdict:
    """A document that is valid under the schemas with True and invalid under those with False: Found, Impossible or Undecided.

    Each is a `Schema`, or a raw one that may refer to ``types``.
    """
    try:
        question = Question([_parsed(schema, types) for schema, _ in schemas], Clock(budget_s))
        signs = [sign for _, sign in schemas]
        return question.ask([one if sign else -one for one, sign in zip(question.literals, signs, strict=True)], signs)
    except (OutOfTime, RecursionError, EndlessReference):
        return UNDECIDED


def unusable(schema: Any, types: Mapping[str, Any] | None = None) -> list[tuple[tuple[str | int, ...], str]]:
    """Why nothing can be compared with a schema: places in it and messages; empty if it is fine."""
    if not isinstance(schema, (dict, bool)):
        return [((), f"expected a JSON Schema, that is an object, true or false; found {type(schema).__name__}")]
    try:
        compile_schema(schema, types or {}, linear=False)
    except (BrokenReference, UnreadableDraft, PatternError) as error:
        return [(tuple(getattr(error, "path", ())), str(error))]
    except jsonschema_rs.ValidationError as error:
        return [(tuple(error.instance_path), error.message)]
    return []


def _parsed(schema: Any, types: Mapping[str, Any] | None = None) -> Schema:
    return schema if isinstance(schema, Schema) else Schema(schema, types or {})


def _undecided() -> Answer:
    return Answer(compatible=False, undecided=True, reasons=[Reason("", "undecided")])


def _others(question: Question, under_old: Literal, under_new: Literal) -> Iterator[Any]:
    """Further documents: one for each part of the new schema that alone refuses something."""
    try:
        for part in _parts(question, under_old, under_new, lambda one: one, _DEPTH):
            found = question.ask([under_old, -part], (True, False))
            if isinstance(found, Found):
                yield found.document
    except (OutOfTime, RecursionError):
        return


def _parts(question: Question, under_old: Literal, literal: Literal, around: Callable[[Literal], Literal], depth: int) -> Iterator[Literal]:
    """The smallest parts of what a literal demands that refuse something; ``around`` puts a part back where it stands in the schema."""
    space = question.space
    if not isinstance(question.engine.find([under_old, -around(literal)]), Found):
        return
    op, payload, kids = space.ops[abs(literal)], space.payloads[abs(literal)], space.kids[abs(literal)]
    if literal > 0 and op == "and":
        for kid in kids:
            yield from _parts(question, under_old, kid, around, depth)
    elif literal > 0 and op in _WITHIN and depth:
        yield from _parts(question, under_old, kids[0], lambda one: around(space.build(op, payload, (one,))), depth - 1)
    else:
        yield around(literal)
