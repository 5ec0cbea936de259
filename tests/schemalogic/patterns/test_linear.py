"""The translation for a linear-time engine means the same as the pattern."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemalogic.patterns import NotLinear, parse, rust
from schemalogic.patterns.linear import fancy
from tests.schemalogic.patterns.oracle import found
from tests.schemalogic.patterns.patterns import ALL, LINEAR, TEXTS


@settings(max_examples=300, deadline=None)
@given(LINEAR, st.lists(TEXTS, min_size=1, max_size=8))
def test_the_linear_engine_finds_what_the_pattern_means(pattern: str, texts: list[str]) -> None:
    """The engine and a matcher that tries everything agree."""
    validator = jsonschema_rs.Draft202012Validator({"pattern": rust(pattern)}, pattern_options=jsonschema_rs.RegexOptions())
    assert [validator.is_valid(text) for text in texts] == [found(parse(pattern), text) for text in texts]


@settings(max_examples=200, deadline=None)
@given(ALL, st.lists(TEXTS, min_size=1, max_size=8))
def test_the_backtracking_engine_finds_what_the_pattern_means(pattern: str, texts: list[str]) -> None:
    """The same with lookarounds; what that engine does not know (lookbehinds of some kinds) is refused, never guessed."""
    try:
        text = fancy(pattern)
    except NotLinear:
        assert "(?<" in pattern
        return
    validator = jsonschema_rs.Draft202012Validator({"pattern": text}, pattern_options=jsonschema_rs.FancyRegexOptions())
    assert [validator.is_valid(text) for text in texts] == [found(parse(pattern), text) for text in texts]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?=a)", "lookahead"),
        ("(?<!a)b", "lookbehind"),
        (r"(a)\1", "backreference"),
        ("(a{1000}){1000}", "too big"),
        (r"(?:\p{L}{1000}){50}", "too big"),
    ],
)
def test_what_is_not_linear_is_refused(pattern: str, message: str) -> None:
    """Lookarounds, backreferences and repetitions that multiply."""
    with pytest.raises(NotLinear, match=message):
        rust(pattern)


def test_everything_is_spelled_out() -> None:
    """No class of the engine's own is left, so that it cannot mean something else."""
    assert rust(r"^\d+\s?[^\w]$") == (
        r"^(?:[0-9])+(?:[\u{9}-\u{d}\u{20}\u{a0}\u{1680}\u{2000}-\u{200a}\u{2028}-\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}])?"
        r"[^0-9A-Z\u{5f}a-z]$"
    )
