"""Patterns are read as ECMA-262 says, and as tolerantly as browsers do."""

from __future__ import annotations

import pytest

from schemalogic.patterns import Language, PatternError, parse
from schemalogic.patterns.charset import ANYTHING, CharSet
from schemalogic.patterns.properties import code_points

MEANS = [
    (r"^\-\_\@\/$", ["-_@/"], ["-_@"]),
    ("^a{$", ["a{"], ["a"]),
    ("^a}]$", ["a}]"], []),
    ("^a{,3}$", ["a{,3}"], ["a", "aaa"]),
    ("^[]$", [], ["", "a"]),
    ("^[^]$", ["a", "\n", "😀"], ["", "ab"]),
    (r"^[\d-x]$", ["5", "-", "x"], ["a", "y"]),
    (r"^[a-\d]$", ["a", "-", "7"], ["b"]),
    (r"^\cA\x41\u0042\u{43}\0$", ["\x01ABC\0"], []),
    (r"^\uD83D\uDE00$", ["😀"], []),
    (r"^[\uD83D\uDE00-\u{1F602}]$", ["😀", "😁", "😂"], ["😃"]),
    (r"^[\uD800-\uDBFF][\uDC00-\uDFFF]$", [], ["😀"]),
    (r"^\101\8$", ["A8"], []),
    (r"^a\c$", ["a\\c"], ["ac"]),
    (r"^[\b]$", ["\b"], ["b"]),
    (r"^(?<year>\d{4})\x2d$", ["2024-"], ["٢٠٢٤-"]),
    (r"^\k$", ["k"], []),
    (r"^\p{Lu}\p{Letter}\P{L}$", ["Éa1"], ["éa1", "Éab"]),
    (r"^\p{Script=Greek}\p{sc=Grek}\p{Alphabetic}$", ["αβγ"], ["abc"]),
    (r"^\p{General_Category=Nd}$", ["7", "٧"], ["a"]),
    (r"^\w\d\s$", ["a1\ufeff", "_0\u00a0"], ["é1 ", "a٧ "]),
    ("^.$", ["a", "\x85", "😀"], ["\n", "\r", "\u2028", "\u2029"]),
    ("a$", ["a", "ba"], ["a\n"]),
    ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
    ("(^a)", ["ab"], ["ba"]),
    ("a^", [], ["a", "aa"]),
    ("a*?$", ["", "b", "aa"], []),
    (r"\bfoo\b", ["a foo", "éfoo"], ["afoo", "foo_"]),
    ("(?=a)*b", ["b"], ["a"]),
    ("^(?=a){2}a$", ["a"], ["b"]),
    ("", ["", "a"], []),
]


@pytest.mark.parametrize(("pattern", "inside", "outside"), MEANS, ids=[pattern for pattern, _, _ in MEANS])
def test_what_a_pattern_means(pattern: str, inside: list[str], outside: list[str]) -> None:
    """It is found in the first texts and not in the others."""
    language = Language.of_pattern(pattern)
    assert [text for text in inside + outside if language.contains(text)] == inside


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("a)", 1),
        ("(a", 0),
        ("a[b", 1),
        ("*a", 0),
        ("a**", 2),
        ("a{2,1}", 1),
        ("{1}", 0),
        ("[b-a]", 2),
        ("^*", 0),
        (r"\b+", 0),
        ("(?<=a)*", 0),
        ("(?i:a)", 0),
        ("(?<1>a)", 0),
        ("(?<a>x)(?<a>y)", 7),
        (r"(?<a>x)\k<b>", 7),
        (r"\p{Nope}", 0),
        (r"\u{110000}", 0),
        ("a\\", 1),
        ("a{100001}", 1),
        ("(" * 61 + ")" * 61, 60),
        ("a" * 100_001, 0),
    ],
)
def test_what_is_no_pattern_is_refused_where_it_goes_wrong(pattern: str, position: int) -> None:
    """The position is that of the sign in question."""
    with pytest.raises(PatternError) as refused:
        parse(pattern)
    assert refused.value.position == position


def test_sets_of_characters() -> None:
    """Union, intersection, difference and complement, in a universe without surrogates."""
    letters, vowels = CharSet.of([(0x61, 0x7A)]), CharSet.chars("aeiou")
    assert (letters - vowels) | vowels == letters
    assert letters & vowels == vowels
    assert ~~letters == letters
    assert not letters & ~letters
    assert len(ANYTHING) == 0x110000 - 2048
    assert "\ud800" not in ANYTHING
    assert CharSet.of([(0, 0x10FFFF)]).representative() == "a"
    assert CharSet.chars("\0z7").representative() == "z"
    assert CharSet.of([(5, 9), (1, 4)]).ranges == ((1, 9),)


def test_properties_are_exact() -> None:
    """Against what Python knows of Unicode, for categories that are older than both."""
    digits = code_points("Nd")
    assert digits is not None
    assert {chr(point) for point in range(0x3000) if point in digits} == {chr(point) for point in range(0x3000) if chr(point).isdecimal()}
    assert code_points("L&") is None
