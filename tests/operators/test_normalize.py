"""What identifiers are compared by: visible text, addresses, phone numbers; and what is blocked."""

from __future__ import annotations

from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import load
from contracts.model.definitions import IdentityRules, Namespace
from operators.blocked_check import check
from operators.extract import Values
from operators.match.values import comparable
from operators.normalize import email, phone, visible
from tests.model_links import as_email, normalise, seen
from tests.typed import NOBODY, NUMBERS_OF_NOBODY, UNSEEN

KINDS = ("trim", "email", "phone")
DEFAULTS = load({}).identity
ODD = st.sampled_from(
    "aA@.0+ ™İßẞſΣςK\u212aﬁ，．＠\u3000\u00a0¨\u0301\u0327\u05b7ǅＡ１。\u200b\u00ad\ufeff\u202e\ufe0f\x00\x1c\x85\ud800é\u1160\uffa0"
    "\u200c\u200d\u0646ने🐝"
)
TEXTS = st.text(st.one_of(ODD, st.characters()), max_size=12)


def values(kind: Any, rules: IdentityRules = DEFAULTS, region: str = "GB") -> Values:
    return Values(Namespace("x", ("x",), normalize=kind, region=region), rules)


@given(TEXTS)
def test_what_is_normalised_stays_as_it_is(text: str) -> None:
    for normalize in (visible, email, phone("GB"), phone("DE")):
        once = normalize(text)
        assert once is None or normalize(once) == once


@given(TEXTS)
def test_the_model_says_the_same(text: str) -> None:
    assert (visible(text), email(text)) == (seen(text), as_email(text))


def test_every_character_by_itself_and_between_letters() -> None:
    """All that have a decomposition, another case or no look, where a second pass could change more than the first."""
    for text in (part for code in range(0x10000) for part in (chr(code), f"A{chr(code)}\u0301")):
        if not text[:2].isascii():
            once = email(text)
            assert email(once) == once == once.strip(), ascii(text)


@pytest.mark.parametrize("hidden", [*UNSEEN, "\u200d", "\u202e", "\u2060", "\u180e", "\u3164", "\u034f", "\U000e0001", "\u2800"])
@pytest.mark.parametrize("kind", ["trim", "email"])
def test_nobody_is_another_person_by_what_nobody_sees(kind: str, hidden: str) -> None:
    for text in (f"{hidden}ann@shop.org", f"a{hidden}nn@shop.org", f"ann@shop.org{hidden}", f"\u00a0{hidden} ann@shop.org{hidden}\u3000"):
        assert values(kind).of(text) == "ann@shop.org"


@pytest.mark.parametrize(
    ("text", "trim", "address"),
    [
        ("ann™@shop.org", "ann™@shop.org", "anntm@shop.org"),
        ("Ａnn＠shop．org", "Ａnn＠shop．org", "ann@shop.org"),
        ("ann@shop。org", "ann@shop。org", "ann@shop.org"),
        ("\u212aim@x.org", "Kim@x.org", "kim@x.org"),
        ("Zoe\u0308@x.org", "Zoë@x.org", "zoë@x.org"),
        ("Ann\u00a0Lee@x.org", "Ann Lee@x.org", "annlee@x.org"),
        ("ﬁn@STRASSE.de", "ﬁn@STRASSE.de", "fin@strasse.de"),
        ("fin@straße.de", "fin@straße.de", "fin@straße.de"),
        ("می\u200cم\u200d", "می\u200cم", "میم"),
        ("\u200d🐝\ufe0f\u200d🍯\u200d\u200d🐝", "🐝\u200d🍯🐝", "🐝🍯🐝"),
        ("А\u200dня", "Аня", "аня"),
        ("half \ud800 pair", None, None),
        ("\u200b\ufeff \u3000", None, None),
    ],
)
def test_forms_of_letters(text: str, trim: str | None, address: str | None) -> None:
    assert (values("trim").of(text), values("email").of(text)) == (trim, address)


def test_likeness_sees_what_people_see() -> None:
    assert comparable("A\u200bnn\u00a0 Lee\ufeff") == comparable("ann lee")


# ── phone numbers ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "text", [*NUMBERS_OF_NOBODY, "12345", "999", "2026-05-01", "1234567890", "07000000000", "+7 777 777 77 77", "call me"]
)
def test_a_number_that_nobody_has_is_none(text: str) -> None:
    assert values("phone").of(text) is None


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("07712\u00a0345\u200b678", "GB", "+447712345678"),
        ("tel:+44-7712-345678", "US", "+447712345678"),
        ("Mobile: 07712 345678 ext. 3", "GB", "+447712345678"),
        ("٠٧٧١٢٣٤٥٦٧٨", "GB", "+447712345678"),
        ("(07700) 900123", "GB", "+447700900123"),
        ("202-555-0123", "US", "+12025550123"),
        ("unknown030123456", "DE", None),
        (447712345678, "US", None),
        (7712345678, "GB", "+447712345678"),
    ],
)
def test_a_number_as_people_write_it(text: object, region: str, number: str | None) -> None:
    assert values("phone", region=region).of(text) == number


def test_every_kind_of_number_stays_as_it_is() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is not None:
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert phone("GB")(written) in (written, None)


# ── blocked ─────────────────────────────────────────────────────────────────────────────────────────────────────────
PLACEHOLDERS = ("None", "NULL", "NaN", "<nil>", "(null)", "'undefined'", "“Unknown”", "N/A", "\\N", "[]", "{}", "--", "0.0", "NONE\u3000")
ZEROS = ["00000000000000000000000000000000", "{00000000-0000-0000-0000-000000000000}", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "000 000"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [*NOBODY, *PLACEHOLDERS, *ZEROS, "[object undefined]", "(not set)"])
def test_placeholders_are_nobody(text: str, kind: str) -> None:
    assert values(kind).of(text) is None


@pytest.mark.parametrize(
    "text", ["nancy", "null@shop.org", "n", "na", "1", "u-0", "noone", "00000000-0000-0000-0000-000000000001", "f" * 31, "nanny_1"]
)
def test_who_is_only_like_a_placeholder_is_somebody(text: str) -> None:
    assert values("trim").of(text) == text


@pytest.mark.parametrize(
    ("kind", "value", "pattern", "text"),
    [
        ("phone", "020 7946 0958", "x", "+44 20 7946 0958"),
        ("phone", "+442079460958", "x", "(020) 7946 0958"),
        ("phone", "x", "^020 7946", "020 7946 0958"),
        ("phone", "x", r"^\+4420", "020 7946 0958"),
        ("email", "Office@Shop.com", "x", "office@shop.com"),
        ("email", " office@shop.com ", "x", "OFFICE@shop.com"),
        ("email", "Ｏffice@shop.com", "x", "office@shop.com"),
        ("email", "x", "^Office@", "office@shop.com"),
        ("email", "x", "^ ", " office@shop.com"),
        ("trim", " Test ", "x", "TEST"),
        ("trim", "x", "^Bot", "\u200bBot-1"),
    ],
)
def test_an_entry_blocks_what_it_means_however_either_is_written(kind: str, value: str, pattern: str, text: str) -> None:
    rules = IdentityRules(1, (), frozenset({value}), (pattern,))
    assert values(kind, rules).of(text) is None
    assert values(kind, IdentityRules(1, (), frozenset({"x"}), ("x",))).of(text) is not None
    assert normalise(rules, Namespace("n", ("n",), normalize=kind), text) is None  # type: ignore[arg-type]


@given(st.sampled_from(KINDS), st.text(st.sampled_from('0+4- nulNULL\u200b\u00a0"(aé@.'), max_size=9))
def test_the_model_blocks_the_same(kind: Any, text: str) -> None:
    rules = IdentityRules(1, (), frozenset({"Null", "a@a", "0", "(+44"}), ("^[0-]+$", "^N", "4-4"))
    assert values(kind, rules).of(text) == normalise(rules, Namespace("n", ("n",), normalize=kind), text)


def entries(values: str, patterns: str) -> list[str]:
    text = f"version: 1\nblocked:\n  values: [{values}]\n  patterns: [{patterns}]\n"
    return [str(problem) for problem in check(load({"identity.yaml": text}))]


@pytest.mark.parametrize("pattern", ["(?!)", "x^", "$x", "(a|b)^", "(x$)y", "(?>x$)y", r"a\Zb", "x{10001}", "a(?:b)?^", "(x^|$y)"])
def test_a_pattern_that_nothing_can_match_is_a_problem(pattern: str) -> None:
    (said,) = entries("guest", f"'^0', '{pattern}'")
    assert said.startswith("contracts/identity.yaml:4: blocked.patterns[1]: expected a pattern that some value matches, found ")


@pytest.mark.parametrize("pattern", ["", ".*", "^[0-]*", "^.+$", "$"])
def test_a_pattern_that_everything_matches_is_a_problem(pattern: str) -> None:
    (said,) = entries("guest", f"'{pattern}'")
    assert "every value matches it" in said


@pytest.mark.parametrize(
    "pattern", ["^$", "(^|x)y", "(?m)a^", "a|x^", "(?:$|x)y", "^a*^b", "[0-9]+$", r"\bfoo\b", "(?<!a)b$", "(?i:^a)", "^[^@]+$"]
)
def test_a_pattern_that_can_be_meant_is_none(pattern: str) -> None:
    assert entries("guest", f"'{pattern}'") == []


def test_a_value_that_nothing_can_equal_is_a_problem() -> None:
    said = entries(f"guest, '^[0-]+$', {'x' * 10_001}", "")
    assert [each.split(": expected")[0] for each in said] == [f"contracts/identity.yaml:3: blocked.values[{at}]" for at in (1, 2)]
    assert check(load({})) == []
