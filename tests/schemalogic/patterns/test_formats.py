"""The languages of formats lie where they say, around what validation lets through."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemalogic.patterns import Budget
from schemalogic.patterns.formats import FORMATS, accepts, format_language, samples

_SIGNS = '0123459aAfFzZTtPYMDHSW:.-+/~# @%é{}<>"[]()_'
_EDITS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(_SIGNS), st.sampled_from(["put", "insert", "drop"])), max_size=3)


@pytest.mark.parametrize("name", FORMATS)
def test_samples_and_witnesses_have_the_format(name: str) -> None:
    """The samples, and the first texts of the lower language."""
    language = format_language(name, Budget(60, 10**8))
    assert samples(name)
    for text in (*samples(name), *islice(language.lower.witnesses(), 30)):
        assert accepts(name, text), text
        assert language.upper.contains(text), text


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", FORMATS)
def test_no_text_is_on_the_wrong_side(name: str, data: st.DataObject) -> None:
    """Edited samples: what is in the lower language has the format, what has the format is in the upper one."""
    language = format_language(name, Budget(60, 10**8))
    pool = [*samples(name), *islice(language.lower.witnesses(), 5)]
    text = list(data.draw(st.sampled_from(pool)))
    for at, sign, edit in data.draw(_EDITS):
        place = at % (len(text) + 1)
        text[place : place + (edit != "insert")] = [] if edit == "drop" else [sign]
    edited = "".join(text)
    has = accepts(name, edited)
    assert not language.lower.contains(edited) or has
    assert not has or language.upper.contains(edited)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        (
            "date",
            ["2024-02-29", "2000-02-29", "0000-02-29"],
            ["2023-02-29", "1900-02-29", "2024-04-31", "20-0-01-01", "2024-1-1", "٢٠٢٤-01-01"],
        ),
        (
            "time",
            ["12:00:00Z", "12:00:00.123456789012z", "23:59:60Z", "15:59:60-08:00", "01:29:60+01:30", "12:00:00-00:00"],
            ["12:00:00", "24:00:00Z", "22:59:60Z", "12:00:00+24:00", "12:00:00.Z", "0/:00:00Z", "12:00:00Z\n"],
        ),
        (
            "date-time",
            ["2024-02-29T12:00:00Z", "2024-01-01t23:59:60z"],
            ["2024-01-01 12:00:00Z", "2023-02-29T12:00:00Z", "2024-01-01T22:59:60Z"],
        ),
        ("ipv6", ["::", "1::", "1:2:3:4:5:6:7::", "::ffff:1.2.3.4"], ["1::2::3", "1:2:3:4:5:6:7", "1:2:3:4::5:6:7:8", "fe80::1%eth0"]),
        ("duration", ["P1D", "P1W", "PT1S", "P1YT1S"], ["P", "PT", "P1Y1D", "P1W1D", "PT0.5H"]),
    ],
)
def test_formats_are_read_strictly(name: str, inside: list[str], outside: list[str]) -> None:
    """Real days, leap seconds only at the end of a day in UTC, whole grammars."""
    assert [text for text in inside + outside if accepts(name, text)] == inside


def test_a_format_that_a_draft_does_not_know_asserts_nothing() -> None:
    """Draft-07 has neither uuid nor duration; nobody has phone."""
    assert accepts("uuid", "x", draft=7)
    assert not accepts("uuid", "x")
    assert (~format_language("uuid", draft=7).lower).is_empty()
    assert (~format_language("phone").lower).is_empty()
    assert accepts("phone", "x")
