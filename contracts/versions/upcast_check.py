"""Whether upcasts keep their promise: generated documents of the old version, and the examples, are valid under the new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from contracts.model.definitions import Contract, Definitions
from contracts.model.upcast_steps import Step, Upcast
from contracts.model.versions import newest, way
from contracts.text.problems import Problem
from contracts.versions.upcasts import UpcastError, compile_upcasts
from contracts.versions.upcasts.examples import exercised, shown
from schemalogic.paths import parse_path
from schemalogic.samples import documents
from schemalogic.validation import Validator, compile_schema

COUNT = 300
"""Documents that are generated for one upcast file."""
_TOLD_MAX = 3
_MESSAGE_MAX = 200
_Failure = tuple[Upcast, int | None, str, str]
"""The upcast, the position of the step at fault (None: no single one), what was expected, and what went wrong."""


def check_upcasts(definitions: Definitions, *, seed: int, count: int = COUNT, formats: bool = False) -> list[Problem]:
    """What is wrong with the upcasts of a project, each with ``count`` documents of all versions that it reads."""
    problems: list[Problem] = []
    for event, upcasts in definitions.upcasts.items():
        versions = {one.version: one for one in definitions.contracts[event]}
        target = newest(versions.values()).version
        for upcast in upcasts:
            starts = [one for one in versions.values() if one.version == upcast.old or way(one.version, upcasts, target)[:1] == (upcast,)]
            new, each = versions[upcast.new], max(count // len(starts), 1)
            validator = compile_schema(new.schema, definitions.types, formats=formats)
            seen: list[dict[str, Any]] = [example.old for example in upcast.examples]
            for old in starts:
                generated = _documents(old, definitions.types, seed=seed, count=each, formats=formats)
                problems += _Proof((upcast,), old, new, validator).problems(generated)
                seen += generated
            problems += _example_problems(upcast, versions[upcast.old], new, definitions.types, formats)
            problems += _idle_problems(upcast, seen)
    return problems


def prove(
    upcasts: Iterable[Upcast], old: Contract, new: Contract, types: Mapping[str, Any], *, seed: int, count: int, formats: bool = False
) -> list[Problem]:
    """What becomes invalid of ``count`` generated documents of ``old`` when the upcasts, in their order, make ``new`` of
    them; with the shortest document of each fault, at the step that is at fault."""
    generated = _documents(old, types, seed=seed, count=count, formats=formats)
    return _Proof(tuple(upcasts), old, new, compile_schema(new.schema, types, formats=formats)).problems(generated)


def _documents(old: Contract, types: Mapping[str, Any], *, seed: int, count: int, formats: bool) -> list[dict[str, Any]]:
    found = documents(old.schema, types, seed=seed, count=count, formats=formats)
    # A contract judges objects only, also one that does not say so.
    return [one for one in islice(found, count) if isinstance(one, dict)]


class _Proof:
    """Upcasts between two versions, compiled, and what is found wrong with their results."""

    def __init__(self, upcasts: tuple[Upcast, ...], old: Contract, new: Contract, validator: Validator) -> None:
        self._upcasts, self._old, self._new = upcasts, old, new
        self._run, self._validator = compile_upcasts(upcasts), validator

    def problems(self, generated: list[dict[str, Any]]) -> list[Problem]:
        """Each fault once, with the shortest of the documents that show it."""
        faults: dict[tuple[Any, ...], _Failure] = {}
        for document in generated:
            for kind, failure in self._failure(document):
                if kind not in faults or len(failure[3]) < len(faults[kind][3]):
                    faults[kind] = failure
        return [_problem(failure) for failure in list(faults.values())[:_TOLD_MAX]]

    def _failure(self, document: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], _Failure]]:
        try:
            result = self._run(document)
        except UpcastError as refusal:
            upcast = next(one for one in self._upcasts if one.file == refusal.file)
            step = upcast.steps.index(refusal.step)
            expected = f"to be able to change every document of {self._old.name}"
            yield (refusal.file, step, refusal.expected), (upcast, step, expected, f"{refusal.reason} in {shown(document)}")
            return
        if self._validator.is_valid(result):
            return
        error = next(iter(self._validator.errors(result)))
        found = f"{shown(result)} of {shown(document)}: {error.message[:_MESSAGE_MAX]}"
        expected = f"every document of {self._old.name} to be valid under {self._new.name}"
        yield tuple(error.schema_path), (*_at_fault(self._upcasts, _names(error)), expected, found)


def _names(error: Any) -> list[str]:
    """The path of what is wrong in a document, without indexes."""
    names = [step for step in error.instance_path if isinstance(step, str)]
    missing, unexpected = getattr(error.kind, "property", None), getattr(error.kind, "unexpected", None)
    if isinstance(missing, str):
        names.append(missing)
    elif isinstance(unexpected, list) and unexpected:
        names.append(str(unexpected[0]))
    return names


def _at_fault(upcasts: tuple[Upcast, ...], names: list[str]) -> tuple[Upcast, int | None]:
    """The last step that writes at the path, above or below it."""
    for upcast in reversed(upcasts):
        for i, step in reversed(list(enumerate(upcast.steps))):
            for path in _written(step):
                length = min(len(path), len(names))
                if length and path[:length] == names[:length]:
                    return upcast, i
    return upcasts[-1], None


def _written(step: Step) -> list[list[str]]:
    spec = step.spec
    if step.kind == "rename":
        return [[*_words(old)[:-1], *_words(new)] for old, new in spec.items()]
    if step.kind in {"default", "constant", "drop"}:
        return [_words(text) for text in spec]
    if step.kind in {"split", "join"}:
        into = spec["into"]
        return [_words(text) for text in ([into] if isinstance(into, str) else into)]
    return [_words(spec["to"] if step.kind == "move" else spec["path"])]


def _words(text: str) -> list[str]:
    return [step for step in parse_path(text) if isinstance(step, str)]


def _problem(told: _Failure) -> Problem:
    upcast, at, expected, found = told
    if at is None:
        return Problem(upcast.file, 1, "", expected, found)
    step = upcast.steps[at]
    return Problem(upcast.file, step.line, f"steps[{at}].{step.kind}", expected, found)


def _example_problems(upcast: Upcast, old: Contract, new: Contract, types: Mapping[str, Any], formats: bool) -> list[Problem]:
    """The documents of the file's examples that are not valid under their version."""
    problems: list[Problem] = []
    for side, contract in (("old", old), ("new", new)):
        validator = compile_schema(contract.schema, types, formats=formats)
        for i, example in enumerate(upcast.examples):
            error = next(iter(validator.errors(getattr(example, side))), None)
            if error is not None:
                key, expected = f"examples[{i}].{side}", f"a document of {contract.name}"
                problems.append(Problem(upcast.file, example.line, key, expected, error.message[:_MESSAGE_MAX]))
    return problems


def _idle_problems(upcast: Upcast, seen: list[dict[str, Any]]) -> list[Problem]:
    """The steps that change nothing in any document: most are misspelt."""
    active = exercised(upcast, seen)
    hint = "is the path right? If it is, write an example in which the step changes something"
    return [
        Problem(upcast.file, step.line, f"steps[{i}].{step.kind}", "a step that changes some document", "none of those generated", hint)
        for i, step in enumerate(upcast.steps)
        if i not in active and not step.examples
    ]
