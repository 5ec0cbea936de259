"""Random pairs of schemas: no generated document contradicts an answer, and finite ones are answered exactly."""

from __future__ import annotations

import json
import os
import random
from typing import Any

from schemalogic.compare import Answer, included, parse
from schemalogic.validation import compile_schema
from tests.schemalogic.compare import schemas
from tests.schemalogic.near import near

SEED = int(os.environ.get("COMPAT_SEED", "7"))
CASES = int(os.environ.get("COMPAT_CASES", "300"))
NEAR = 150
PATIENCE_S = 60.0
"""For an answer that takes milliseconds."""
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


def test_no_document_contradicts_an_answer() -> None:
    """Schemas and small edits of them: what is called compatible has no counterexample among documents near both."""
    undecided = 0
    for seed in range(SEED * 1_000_000, SEED * 1_000_000 + CASES):
        old, new = _pair(seed)
        answer = included(parse(old), parse(new), PATIENCE_S)
        documents = list(near(old, new, seed=seed, count=NEAR)) if answer.compatible else []
        failure = _contradiction(seed, old, new, answer, documents)
        assert failure is None, failure
        undecided += answer.undecided
    assert undecided <= UNDECIDED_MAX * CASES


def test_finite_schemas_are_answered_exactly() -> None:
    """Where all documents can be written down, the answer is the one that counting gives."""
    everything = schemas.universe()
    for seed in range(SEED * 1_000_000, SEED * 1_000_000 + CASES):
        chance = random.Random(seed)
        old, new = schemas.combined(chance), schemas.combined(chance)
        under_old, under_new = compile_schema(old).is_valid, compile_schema(new).is_valid
        expected = all(under_new(document) for document in everything if under_old(document))
        answer = included(parse(old), parse(new), PATIENCE_S)
        assert not answer.undecided, _failure(seed, old, new)
        assert answer.compatible == expected, _failure(seed, old, new, expected=expected)
        failure = _contradiction(seed, old, new, answer, [])
        assert failure is None, failure
