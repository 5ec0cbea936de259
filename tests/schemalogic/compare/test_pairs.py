"""Pairs of schemas with answers thought out by hand, in pairs/: {old, new, backward, forward, why, types, formats}.

Those in histories.json are published versions, with their source and licence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemalogic.compare import Answer, included, parse
from schemalogic.validation import compile_schema
from tests.schemalogic.near import near

FOLDER = Path(__file__).parent / "pairs"
FILES = sorted(FOLDER.glob("*.json"))
UNDECIDED_MAX = 0.01
"""The share of questions that may stay open."""
PATIENCE_S = 60.0
"""For an answer that takes milliseconds."""
Ask = tuple[str, Any, Any, dict[str, Any], bool, bool]


def _asked(file: Path) -> Iterator[Ask]:
    for pair in json.loads(file.read_text(encoding="utf-8")):
        for way, (old, new) in {"backward": ("old", "new"), "forward": ("new", "old")}.items():
            title = f"{file.stem}: {pair['why']} ({way})"
            yield title, pair[old], pair[new], pair.get("types", {}), pair.get("formats", False), pair[way]


def _answer(ask: Ask) -> Answer:
    _, old, new, types, formats, _ = ask
    return included(parse(old, types, formats=formats), parse(new, types, formats=formats), PATIENCE_S)


def test_there_are_enough_pairs() -> None:
    """At least 400 pairs, each with a reason and both answers."""
    pairs = [pair for file in FILES for pair in json.loads(file.read_text(encoding="utf-8"))]
    assert len(pairs) >= 400
    for pair in pairs:
        assert pair["why"]
        assert {type(pair["backward"]), type(pair["forward"])} == {bool}
    texts = [json.dumps([pair["old"], pair["new"], pair.get("formats")], sort_keys=True) for pair in pairs]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_answers_are_right(file: Path) -> None:
    """No pair is called compatible that is not, none broken that is not; what is undecided is counted elsewhere."""
    wrong = []
    for ask in _asked(file):
        answer = _answer(ask)
        if not answer.undecided and answer.compatible != ask[-1]:
            wrong.append(ask[0])
    assert wrong == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_are_examples(file: Path) -> None:
    """Every example is valid under the one schema and not under the other, and every no has one."""
    for ask in _asked(file):
        title, old, new, types, formats, _ = ask
        answer = _answer(ask)
        if answer.compatible or answer.undecided:
            continue
        assert any(reason.has_example for reason in answer.reasons), title
        under_old, under_new = (compile_schema(one, types, formats=formats, linear=False) for one in (old, new))
        for reason in answer.reasons:
            if reason.has_example:
                assert under_old.is_valid(reason.example), title
                assert not under_new.is_valid(reason.example), title


def test_few_stay_undecided() -> None:
    """The share of questions without an answer stays small."""
    asks = [ask for file in FILES for ask in _asked(file)]
    undecided = [ask[0] for ask in asks if _answer(ask).undecided]
    assert len(undecided) <= UNDECIDED_MAX * len(asks), undecided


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_pairs_themselves_hold(file: Path) -> None:
    """No generated document contradicts an answer that was thought out by hand."""
    for title, old, new, types, formats, expected in _asked(file):
        if not expected:
            continue
        under_old, under_new = (compile_schema(one, types, formats=formats, linear=False) for one in (old, new))
        for document in near(old, new, types, seed=3, count=80):
            assert not under_old.is_valid(document) or under_new.is_valid(document), (title, document)
