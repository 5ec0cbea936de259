"""Every segment of the golden files as a sentence; ``REWRITE=1`` writes them."""

from __future__ import annotations

import os
from pathlib import Path

from contracts.language.forms import FORMS, say
from contracts.model.definitions import Condition, InAccount
from tests.golden.cases import FOLDER, read

SAID = Path(__file__).parent / "said.txt"


def test_every_golden_segment_as_a_sentence() -> None:
    """One line each, below the name of the file."""
    found: list[str] = []
    for path in sorted(FOLDER.glob("*.txt")):
        case = read(path)
        found += [path.stem, *(f"  {say(one, case.definitions.features)}" for one in case.definitions.segments)]
    text = "\n".join(found) + "\n"
    if os.environ.get("REWRITE"):
        SAID.write_text(text)
    assert text == SAID.read_text()


def test_every_form_has_a_sentence_and_a_golden_one() -> None:
    told = {form for path in FOLDER.glob("*.txt") for one in read(path).definitions.segments for form in forms(one.who)}
    assert {name for name, form in FORMS.items() if form.tells is None} == set()
    assert told == set(FORMS)


def forms(condition: Condition) -> set[str]:
    """The forms in a condition."""
    inner = condition.parts or ((condition.of,) if isinstance(condition, InAccount) else ())
    return {condition.form, *(form for one in inner for form in forms(one))}
