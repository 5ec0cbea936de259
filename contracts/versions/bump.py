"""Which step of MODEL-REVISION-ADDITION a change of a schema deserves, by what can really break.

* **addition**: every document that is valid under OLD is valid under NEW. Also where nothing changes in what is valid.
* **model**: no document that OLD describes in full is valid under NEW. In full: with every property that OLD names, with no
  other, and with no empty list. A new required property, another type of a property and a property that goes away are models.
* **revision**: all between: some documents break, others that OLD describes in full stay valid. A tighter bound, a shorter list of values.

Where OLD has no document in full (its properties exclude each other), all its documents stand for them. What a ``$ref`` leads to
and what stands in ``anyOf`` and the like counts as it is, in full or not. What is undecided counts as a revision at least.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from contracts.model.definitions import Version
from contracts.model.versions import version_text
from schemalogic.compare import Answer, Found, Impossible, Reason, included, parse, satisfiable

Step = Literal["addition", "revision", "model"]
STEPS: tuple[Step, ...] = ("addition", "revision", "model")
BUDGET_S = 6.0
"""Seconds for all the questions together, about."""
_APPLIES = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies", "not"})
_CACHE = 256


@dataclass(frozen=True, slots=True)
class Deserved:
    """What a change deserves and why.

    ``changes``: anything at all is valid otherwise than before; ``undecided``: it is this step or a larger one;
    ``reasons``: what breaks, with documents; ``stays``: a document that stays valid although others break (in a list; empty: none known);
    ``typed``: properties that NEW gives a type and OLD let be anything, as paths.
    """

    step: Step
    changes: bool = True
    undecided: bool = False
    reasons: tuple[Reason, ...] = ()
    stays: tuple[Any, ...] = ()
    typed: tuple[str, ...] = ()

    @property
    def breaks(self) -> Reason | None:
        """The first reason that comes with a document."""
        return next((reason for reason in self.reasons if reason.has_example), None)


@dataclass(frozen=True, slots=True)
class Claim:
    """A number that claims less than its schema deserves: what a problem says of it."""

    expected: str
    found: str
    hint: str
    deserved: Deserved = field(compare=False)


def deserved(old: Any, new: Any, types: Mapping[str, Any], *, formats: bool = False, budget_s: float = BUDGET_S) -> Deserved:
    """What the change from one schema to the other deserves; ``types`` by file stem."""
    before, after = parse(old, types, formats=formats), parse(new, types, formats=formats)
    answer = included(before, after, budget_s / 2)
    if answer.compatible:
        return Deserved("addition", changes=not included(after, before, budget_s / 4).compatible)
    typed = tuple(_typed(old, new, ""))
    step, undecided, stays = _breaking(old, new, types, formats, budget_s / 6)
    return Deserved(step, undecided=undecided or answer.undecided, reasons=_with_examples(answer), stays=stays, typed=typed)


def _breaking(old: Any, new: Any, types: Mapping[str, Any], formats: bool, budget_s: float) -> tuple[Step, bool, tuple[Any, ...]]:
    """Revision or model; whether that is open; a document that stays valid."""
    after = parse(new, types, formats=formats)
    for one in (in_full(old), old):
        before = parse(one, types, formats=formats)
        both = satisfiable([(before, True), (after, True)], budget_s)
        if isinstance(both, Found):
            return "revision", False, (both.document,)
        if not isinstance(both, Impossible):
            return "revision", True, ()
        if isinstance(satisfiable([(before, True)], budget_s), Found):
            return "model", False, ()
    return "revision", True, ()


def _with_examples(answer: Answer) -> tuple[Reason, ...]:
    return tuple(sorted(answer.reasons, key=lambda reason: not reason.has_example))


def in_full(schema: Any) -> Any:
    """The schema of the documents that a schema describes in full: every property that it names and no other, no empty list."""
    if not isinstance(schema, dict):
        return schema
    full = dict(schema)
    names = [name for name, inner in schema.get("properties", {}).items() if inner is not False]
    if names:
        full["properties"] = {name: in_full(inner) for name, inner in schema["properties"].items()}
        full["required"] = list(dict.fromkeys([*schema.get("required", ()), *names]))
        if schema.get("additionalProperties", True) is True and "patternProperties" not in schema and _APPLIES.isdisjoint(schema):
            full["additionalProperties"] = False
    if isinstance(schema.get("items"), dict) and schema.get("maxItems") != 0:
        full["items"] = in_full(schema["items"])
        full["minItems"] = max(1, schema.get("minItems", 0))
    return full


def _typed(old: Any, new: Any, path: str) -> Iterator[str]:
    """Properties that NEW says something of, where OLD is open and does not name them."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    before, after = old.get("properties", {}), new.get("properties", {})
    is_open = old.get("additionalProperties", True) in (True, {}) and old.get("unevaluatedProperties", True) is not False
    for name, inner in after.items():
        if name in before:
            yield from _typed(before[name], inner, f"{path}/{name}")
        elif is_open and inner not in (True, {}) and old.get("type", "object") == "object":
            yield f"{path}/{name}"
    if isinstance(old.get("items"), dict):
        yield from _typed(old["items"], new.get("items"), f"{path}/[]")


def claimed(old: Version, new: Version) -> Step | None:
    """The step from one number to the other; None if it does not go up."""
    if new <= old:
        return None
    return "model" if new[0] > old[0] else "revision" if new[1] > old[1] else "addition"


def following(version: Version, step: Step) -> Version:
    """The next number after a step."""
    model, revision, addition = version
    return {"model": (model + 1, 0, 0), "revision": (model, revision + 1, 0), "addition": (model, revision, addition + 1)}[step]


def claims_less(
    old_version: Version,
    new_version: Version,
    old: Any,
    new: Any,
    types: Mapping[str, Any],
    *,
    formats: bool = False,
    budget_s: float = BUDGET_S,
) -> Claim | None:
    """What is wrong with the number of NEW, the version after OLD; None if it claims enough. A new model always does."""
    step = claimed(old_version, new_version)
    if step == "model":
        return None
    found = _cached(*(json.dumps(one, sort_keys=True) for one in (old, new, dict(types))), formats, budget_s)
    if step is not None and STEPS.index(step) >= STEPS.index(found.step):
        return None
    least = following(old_version, found.step)
    return Claim(f"at least {version_text(least)}", version_text(new_version), f"a {found.step}: {sentence(found)}", found)


@lru_cache(maxsize=_CACHE)
def _cached(old: str, new: str, types: str, formats: bool, budget_s: float) -> Deserved:
    return deserved(json.loads(old), json.loads(new), json.loads(types), formats=formats, budget_s=budget_s)


def sentence(found: Deserved) -> str:
    """Why it is this step, in one sentence with a document."""
    if found.step == "addition":
        return "every old document stays valid" if found.changes else "nothing changes in what is valid"
    if found.breaks is None:
        return "whether old documents break was neither proven nor refuted"
    example = json.dumps(found.breaks.example, ensure_ascii=False)
    short = example if len(example) <= 200 else example[:199] + "…"
    where = f"{found.breaks.path or '/'} {found.breaks.keyword}"
    if found.step == "model":
        return f"no old document with all its properties stays valid ({where}: {short})"
    return f"some old documents break ({where}: {short})"
