"""The small readers: names of events, paths, durations, scalars."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model.event_patterns import event_pattern, matches
from contracts.text.durations import duration_us, rough_text
from contracts.text.names import event_name
from contracts.text.problems import ContractErrors, Problem
from contracts.text.scalars import scalar
from contracts.text.yaml_tree import Reader
from schemalogic.paths import parse_path


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("Order Completed", "order_completed"), ("order_*", "order_*"), ("Order *", "order_*"), ("order*", "order*"), ("*", "*"), ("_*", "*")],
)
def test_patterns_are_normalised_like_names(text: str, pattern: str) -> None:
    assert event_pattern(text) == pattern


def test_a_prefix_means_what_begins_with_it() -> None:
    assert matches("order_*", "order_completed")
    assert not matches("order_*", "ordering")
    assert not matches("order", "order_completed")


_ODD = st.sampled_from("aAbJWİıΣςßǅ𝐀1 _-.\u0300\u0307\u030c\u0301\u093f\u094d\u200d\u200c\u00ad\u20e3\ufe0fक❤각ก็")


@given(st.one_of(st.text(), st.text(_ODD)))
def test_a_normalised_name_stays_as_it_is(text: str) -> None:
    assert event_name(event_name(text)) == event_name(text)
    assert event_name(normalize("NFC", text)) == event_name(text) == event_name(normalize("NFD", text))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("दिन", "दिन"),
        ("दान", "दान"),
        ("ถูกใจ สินค้า", "ถูกใจ_สินค้า"),
        ("Cafe\u0301 Ope\u0301ned", "café_opéned"),
        ("cafe\u0301Opened", "café_opened"),
        ("J\u030c", "\u01f0"),
        ("می\u200cخواهم", "میخواهم"),
        ("Order\u200bCom\u00adpleted", "order_completed"),
        ("❤\ufe0f Liked", "liked"),
        ("\u0301x", "x"),
        ("❤\u0301 x", "x"),
    ],
)
def test_marks_belong_to_the_letter_before_them(text: str, name: str) -> None:
    assert event_name(text) == name


@pytest.mark.parametrize(("text", "pattern"), [("नी*", "नी*"), ("cafe\u0301 *", "café_*"), ("नी\u200d*", "नी*")])
def test_a_prefix_may_end_in_a_mark(text: str, pattern: str) -> None:
    assert event_pattern(text) == pattern


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ("a",)),
        ("address.city", ("address", "city")),
        ("items[0].sku", ("items", 0, "sku")),
        ("items[].sku", ("items", None, "sku")),
        ('["a.b"].c', ("a.b", "c")),
        ('context["x\\"y"]', ("context", 'x"y')),
        ("a[0][1]", ("a", 0, 1)),
        ("first name", ("first name",)),
    ],
)
def test_paths(text: str, steps: tuple[object, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize("text", ["", ".a", "a.", "a..b", "a[", "a[x]", "a]b", "a[0]b", '["a"', "a[-1]"])
def test_paths_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"path|read"):
        parse_path(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1.5h", 5400),
        ("30d", 2_592_000),
        ("2w", 1_209_600),
        ("P30D", 2_592_000),
        ("PT90M", 5400),
        ("P1DT12H", 129_600),
        ("0s", 0),
        ("P2W", 1_209_600),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_us(text) == seconds * 1_000_000


@pytest.mark.parametrize("value", ["", "P", "PT", "1y", "1M", "P1M", "P1Y", "-3d", "3", 3, None, True, "3 days", "1d2h", "99999999d"])
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration_us(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("yes", "yes"),
        ("NO", "NO"),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("2026-01-31", "2026-01-31"),
        ("12:30", "12:30"),
    ],
)
def test_scalars(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_deep_and_circular_yaml_is_refused() -> None:
    for text in (
        "a: " + "[" * 250 + "]" * 250,
        "a: &a [*a]",
        "a: " + "[" * 20_000,
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"{name}: &{name} [{','.join(['*' + last] * 10)}]\n" for last, name in zip("abcdef", "bcdefg", strict=True)),
    ):
        problems: list[Problem] = []
        assert Reader(problems).parse("x.yaml", text) is None
        assert len(problems) == 1


def test_problems_are_sorted_and_said_once() -> None:
    late, early = Problem("b.yaml", 2, "k", "x", "y"), Problem("a.yaml", 10, "", "x", "y", "do z")
    assert (
        str(ContractErrors([late, early, late]))
        == "contracts/a.yaml:10: expected x, found y (do z)\ncontracts/b.yaml:2: k: expected x, found y"
    )


def test_how_long_something_has_lasted_is_told_in_the_largest_unit_that_fits() -> None:
    told = [rough_text(seconds) for seconds in (0.0, 12.4, 90.0, 7_200.0, 1_837_581.0)]
    assert told == ["0 s", "12 s", "1.5 m", "2.0 h", "21.3 d"]
