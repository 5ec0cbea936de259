"""Languages: exact against a matcher that tries everything, quick for patterns that make others hang."""

from __future__ import annotations

import re
from itertools import islice, pairwise, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemalogic.patterns import Budget, Language, Undecided, parse
from tests.schemalogic.patterns.oracle import found
from tests.schemalogic.patterns.patterns import ALL, LINEAR, TEXTS

EMAIL = (
    r"(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*|\"(?:[\x01-\x08\x0b\x0c\x0e-\x1f\x21\x23-\x5b\x5d-\x7f]|"
    r"\\[\x01-\x09\x0b\x0c\x0e-\x7f])*\")@(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|\[(?:(?:(2(5[0-5]|"
    r"[0-4][0-9])|1[0-9][0-9]|[1-9]?[0-9]))\.){3}(?:(2(5[0-5]|[0-4][0-9])|1[0-9][0-9]|[1-9]?[0-9])|[a-z0-9-]*[a-z0-9]:"
    r"(?:[\x01-\x08\x0b\x0c\x0e-\x1f\x21-\x5a\x53-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])+)\])"
)
HARD = {
    "nested": "^(a|aa)*b$",
    "any": "(.*)*",
    "camel": "^(([a-z])+.)+[A-Z]([a-z])+$",
    "twice": "(x+x+)+y",
    "thousand": "^[a-z]{1,1000}$",
    "email": EMAIL,
    "url": r"^https?:\/\/(www\.)?[-a-zA-Z0-9@:%._\+~#=]{1,256}\.[a-zA-Z0-9()]{1,6}\b([-a-zA-Z0-9()@:%_\+.~#?&//=]*)$",
    "semver": r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
    r"(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$",
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "password": r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[@$!%*?&])[A-Za-z\d@$!%*?&]{8,64}$",
    "without": "^((?!foo).)*$",
}


@settings(max_examples=400, deadline=None)
@given(ALL, st.lists(TEXTS, min_size=1, max_size=8))
def test_a_pattern_holds_the_texts_in_which_it_is_found(pattern: str, texts: list[str]) -> None:
    """The automaton and a matcher that tries everything agree, lookarounds included."""
    language, node = _language(pattern), parse(pattern)
    try:
        contained = [language.contains(text) for text in texts]
    except Undecided:
        assume(False)
    assert contained == [found(node, text) for text in texts]


@settings(max_examples=100, deadline=None)
@given(ALL)
def test_the_witnesses_are_the_texts(pattern: str) -> None:
    """Each is found by the matcher that tries everything, each comes once, and the shorter ones come first."""
    language, node = _language(pattern), parse(pattern)
    texts = list(islice(language.witnesses(), 20))
    assert all(found(node, text) for text in texts)
    assert len(set(texts)) == len(texts)
    assert all(len(one) <= len(other) for one, other in pairwise(texts))
    assert language.is_empty() == (not texts)
    assert language.size_at_least(len(texts))


@settings(max_examples=100, deadline=None)
@given(LINEAR, LINEAR, st.integers(0, 3), st.integers(0, 3))
def test_what_is_said_of_two_languages_is_what_their_short_texts_say(one: str, other: str, shortest: int, more: int) -> None:
    """Over three characters and up to five of them: inclusion, emptiness and the operators, with a length."""
    left, right, bound = _language(f"^(?:{one})$"), _language(f"^(?:{other})$"), Language.length(shortest, shortest + more)
    small = Language.of_pattern("^[ab1]{0,5}$")
    texts = ["".join(chars) for size in range(6) for chars in product("ab1", repeat=size)]
    a, b = parse(f"^(?:{one})$"), parse(f"^(?:{other})$")
    inside = {text for text in texts if found(a, text) and shortest <= len(text) <= shortest + more}
    outside = {text for text in texts if found(b, text)}
    assert set((left & bound & small).finite() or ()) == inside
    assert (left & bound & small).included_in(right) == (inside <= outside)
    assert set(((left & bound | right) & small).finite() or ()) == inside | outside
    assert set((small - (left & bound)).finite() or ()) == set(texts) - inside


@pytest.mark.parametrize("name", HARD)
def test_hard_patterns_are_decided(name: str) -> None:
    """Built, compared with a variation both ways, and an example given, within the budget."""
    pattern = HARD[name]
    variation = f"{pattern.removesuffix('$')}{'|zz$' if pattern.endswith('$') else '|zz'}"
    language, wider = (Language.of_pattern(one, Budget(60, 10**8)) for one in (pattern, variation))
    assert language.included_in(wider)
    assert wider.contains(next(language.witnesses()))
    assert (wider - language).is_empty() == (name == "any")


def test_long_texts_need_no_long_automaton() -> None:
    """Lengths stand beside the automaton: a hundred thousand characters are decided at once."""
    even = Language.of_pattern("^(ab)*$", Budget(60, 10**8)) & Language.length(99_999, 100_001)
    assert [len(text) for text in even.witnesses()] == [100_000]
    assert (Language.of_pattern("^(aa)*$", Budget(60)) & Language.length(99_999, 99_999)).is_empty()
    shorter, longer = Language.length(0, 99_999, Budget(60)), Language.length(0, 100_000, Budget(60))
    assert shorter.included_in(longer)
    assert not longer.included_in(shorter)
    assert len(next((longer - shorter).witnesses())) == 100_000


def test_periods_meet() -> None:
    """Multiples of 7, 11 and 13 meet at their product."""
    language = Language.length(1)
    for period in (7, 11, 13):
        language &= Language.of_pattern(f"^(a{{{period}}})*$")
    assert len(next(language.witnesses())) == 1001
    assert (language & Language.length(1, 1000)).is_empty()


def test_the_number_of_texts() -> None:
    """Finite languages are counted and listed exactly, infinite ones have any number."""
    codes = Language.of_pattern("^[A-Z]{3}$")
    assert codes.size_at_least(26**3)
    assert not codes.size_at_least(26**3 + 1)
    assert codes.finite(100) is None
    assert Language.of_pattern("^(b|a||aa)$").finite() == ["", "a", "b", "aa"]
    assert Language.of_pattern("^(aa)*$").size_at_least(10**9)
    assert Language.nothing().finite() == []
    assert not (Language.of_pattern("^(aa)+$") & Language.of_pattern("^a(aa)*$")).size_at_least(1)


def test_examples_are_readable() -> None:
    """Letters come before signs, and signs before what cannot be printed."""
    assert list(islice(Language.of_pattern("^.{2}$").witnesses(), 2)) == ["aa", "ab"]
    assert next(Language.of_pattern(r"^\W$").witnesses()) == " "
    assert next(Language.of_pattern(r"^[\x00-\x1f\u00e9]$").witnesses()) == "é"


def test_lookarounds_are_decided() -> None:
    """In front, in the middle, behind, and within one another."""
    assert Language.of_pattern("^(?!foo$|bar$)[a-z]{3}$").finite(20_000) is not None
    assert Language.of_pattern(r"^(?=a)(?=b)").is_empty()
    assert Language.of_pattern(r"^(?:a(?=b)|b(?!b))*$").contains("abab")
    assert not Language.of_pattern(r"^(?:a(?=b)|b(?!b))*$").contains("abb")
    assert Language.of_pattern(r"^.*(?<=\.json)$").included_in(Language.of_pattern(r"\.json$"))
    assert Language.of_pattern(r"^(?=.*(?<=x)y)[xy]{2}$").finite() == ["xy"]


def test_backreferences_mean_one_text_or_nothing_is_said() -> None:
    """A group that matches one text is that text; otherwise nothing is claimed."""
    assert Language.of_pattern(r"^(ab)-\1$").finite() == ["ab-ab"]
    assert Language.of_pattern(r"^\1(a)$").finite() == ["a"]
    for pattern in (r"^(a|b)\1$", r"^(?:(a)|b)\1$", r"(?<=(a)\1)b", r"(?<=(?=a)a)b"):
        with pytest.raises(Undecided):
            Language.of_pattern(pattern).is_empty()


def test_too_much_is_undecided_in_time() -> None:
    """Two to the twentieth states are not built: the question is given up when its time is over."""
    with pytest.raises(Undecided, match=re.escape("out of time")):
        Language.of_pattern("(a|b)*a(a|b){20}c", Budget(0.2, 10**9)).included_in(Language.of_pattern("x"))
    with pytest.raises(Undecided, match="too many states"):
        Language.of_pattern("(a{1000}){1000}", Budget(60, 10_000))


def _language(pattern: str) -> Language:
    """The language of a pattern that can be decided; a lookahead within a lookbehind cannot."""
    try:
        language = Language.of_pattern(pattern)
        language.size_at_least(10**12)
        list(islice(language.witnesses(), 20))
    except Undecided as why:
        assume("look" not in str(why))
        raise
    return language
