"""The examples of an upcast, run: what each step makes of them."""

from __future__ import annotations

import json
from typing import Any

from contracts.model.upcast_steps import Example, Step, Upcast
from contracts.text.problems import Problem
from contracts.versions.upcasts.running import UpcastError, compile_steps

SHOWN = 200
_MUST_SHOW = frozenset({"map", "convert", "split", "join"})


def example_problems(upcast: Upcast) -> list[Problem]:
    """What the examples contradict, and the steps that change values but not one of any example."""
    problems: list[Problem] = []
    for i, step in enumerate(upcast.steps):
        for j, example in enumerate(step.examples):
            problems += _run(upcast, (step,), example, f"steps[{i}].examples[{j}]")
    for j, example in enumerate(upcast.examples):
        problems += _run(upcast, upcast.steps, example, f"examples[{j}]")
    seen = exercised(upcast, [example.old for example in upcast.examples])
    for i, step in enumerate(upcast.steps):
        if step.kind in _MUST_SHOW and i not in seen and not any(not same(one.old, one.new) for one in step.examples):
            key = f"steps[{i}].{step.kind}"
            hint = "write `examples: [{old: …, new: …}]` beside it, or add a document to the file's examples"
            problems.append(Problem(upcast.file, step.line, key, "an example in which this step changes something", "none", hint))
    return problems


def exercised(upcast: Upcast, documents: list[dict[str, Any]]) -> set[int]:
    """The steps (by position) that change one of the documents, each document run as far as it goes."""
    runs = [compile_steps([(upcast.file, step)]) for step in upcast.steps]
    seen: set[int] = set()
    for document in documents:
        for i, run in enumerate(runs):
            try:
                after = run(document)
            except UpcastError:
                break
            if i not in seen and not same(document, after):
                seen.add(i)
            document = after  # noqa: PLW2901 - the next step takes what this one made
    return seen


def _run(upcast: Upcast, steps: tuple[Step, ...], example: Example, key: str) -> list[Problem]:
    try:
        found = compile_steps([(upcast.file, step) for step in steps])(example.old)
    except UpcastError as error:
        return [Problem(upcast.file, example.line, key, shown(example.new), f"no answer: step in line {error.line}, {error.reason}")]
    if same(found, example.new):
        return []
    return [Problem(upcast.file, example.line, key, shown(example.new), shown(found))]


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 and 1.0 are, 1 and true are not."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def shown(document: Any) -> str:
    """A document as JSON in at most SHOWN characters."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
