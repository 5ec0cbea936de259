"""Random pairs of schemas: no generated document contradicts an answer, and finite ones are answered exactly."""

from __future__ import annotations

import json
import os
import random
import time
from typing import Any

import pytest

from contracts.compat import Answer, included, parse
from contracts.samples import near
from contracts.validation import compile_schema
from tests.contracts.compat import schemas

SEED = int(os.environ.get("COMPAT_SEED", "7"))
CASES = int(os.environ.get("COMPAT_CASES", "300"))
SECONDS = 8.0
"""No test of this file takes much longer, however slow the machine; fewer cases are run then."""
NEAR = 150
BUDGET_S = 3.0
UNDECIDED_MAX = 0.02


def _failure(seed: int, old: Any, new: Any, **more: Any) -> str:
    return json.dumps({"seed": seed, "old": old, "new": new, **more})


def _contradiction(seed: int, old: Any, new: Any, answer: Answer, documents: list[Any]) -> str | None:
    under_old, under_new = compile_schema(old, linear=False).is_valid, compile_schema(new, linear=False).is_valid
    if answer.compatible:
        for document in documents:
            if under_old(document) and not under_new(document):
                return _failure(seed, old, new, contradicted_by=document)
    for reason in answer.reasons:
        if reason.has_example and not (under_old(reason.example) and not under_new(reason.example)):
            return _failure(seed, old, new, no_example=reason.example)
    return None


def _pair(seed: int) -> tuple[Any, Any]:
    chance = random.Random(seed)
    old = schemas.root(chance)
    new = schemas.edited(old, chance) if chance.random() < 0.8 else schemas.root(chance)
    return (old, new) if chance.random() < 0.5 else (new, old)


def test_no_document_contradicts_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Schemas and small edits of them: what is called compatible has no counterexample among documents near both."""
    end, done, open_ = time.monotonic() + SECONDS, 0, 0
    for seed in range(SEED * 1_000_000, SEED * 1_000_000 + CASES):
        if time.monotonic() > end:
            break
        old, new = _pair(seed)
        answer = included(parse(old), parse(new), BUDGET_S)
        documents = list(near(old, new, seed=seed, count=NEAR)) if answer.compatible else []
        failure = _contradiction(seed, old, new, answer, documents)
        assert failure is None, failure
        done, open_ = done + 1, open_ + answer.undecided
    with capsys.disabled():
        print(f"\n{done} random pairs from seed {SEED}, undecided {open_}")
    assert done >= 30
    assert open_ <= max(2, UNDECIDED_MAX * done)


def test_finite_schemas_are_answered_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    """Where all documents can be written down, the answer is the one that counting gives."""
    everything = schemas.universe()
    end, done = time.monotonic() + SECONDS, 0
    for seed in range(SEED * 1_000_000, SEED * 1_000_000 + CASES):
        if time.monotonic() > end:
            break
        chance = random.Random(seed)
        old, new = schemas.combined(chance), schemas.combined(chance)
        under_old, under_new = compile_schema(old).is_valid, compile_schema(new).is_valid
        expected = all(under_new(document) for document in everything if under_old(document))
        answer = included(parse(old), parse(new), BUDGET_S)
        assert not answer.undecided, _failure(seed, old, new)
        assert answer.compatible == expected, _failure(seed, old, new, expected=expected)
        failure = _contradiction(seed, old, new, answer, [])
        assert failure is None, failure
        done += 1
    with capsys.disabled():
        print(f"\n{done} finite pairs from seed {SEED}")
    assert done >= 30
