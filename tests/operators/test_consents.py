"""Decisions about consent in every spelling: readable ones are what they say, null is none, whatever else is a denial and told."""

from __future__ import annotations

from typing import Any

import pytest

from operators.consent import NOTHING, Said, said_of

PURPOSES = frozenset({"ads", "mail"})
NO: tuple[Any, ...] = (
    False,
    0,
    0.0,
    "false",
    " FALSE\n",
    "0",
    "No",
    "denied",
    "opt-out",
    "Opted Out",
    "opt_out",
    "withdrawn",
    "Unsubscribed",
    "\u200bno\ufeff",
    "ｄｅｎｉｅｄ",
)
YES: tuple[Any, ...] = (
    True,
    1,
    1.0,
    "true",
    "1",
    "YES",
    " granted ",
    "opt-in",
    "Opted In",
    "subscribed",
    "\u00a0ye\u00ads\u200b",
    "ＴＲＵＥ",
    "opt\u2011in",
    "opted \u2013 in",
)
NEITHER: tuple[Any, ...] = ("", " ", "maybe", "-1", "null", "nein", 2, -1, 0.5, 10**30, [], {}, [False], {"granted": True}, ["ads"])


def told(preferences: Any, update: Any = None) -> Said:
    return said_of({"context": {"consent": {"categoryPreferences": preferences}}}, update, PURPOSES)


@pytest.mark.parametrize("value", NO, ids=repr)
def test_what_says_no_is_a_denial(value: Any) -> None:
    assert told({"ads": value}) == ({"ads": False}, ())


@pytest.mark.parametrize("value", YES, ids=repr)
def test_what_says_yes_is_a_grant(value: Any) -> None:
    assert told({"ads": value}) == ({"ads": True}, ())


@pytest.mark.parametrize("value", NEITHER, ids=repr)
def test_what_says_neither_is_a_denial_that_is_told(value: Any) -> None:
    assert told({"ads": value, "mail": True}) == ({"ads": False, "mail": True}, ("ads",))


def test_null_and_undeclared_purposes_are_nothing() -> None:
    assert told({"ads": None}) == told({"other": "?"}) == told({"Ads": "?"}) == told({}) == told(None) == NOTHING
    assert told({"ads": None, "mail": False}) == ({"mail": False}, ())
    for body in ({}, {"context": None}, {"context": "?"}, {"context": {}}, {"context": {"consent": None}}, {"context": {"consent": {}}}):
        assert said_of(body, None, PURPOSES) == NOTHING


@pytest.mark.parametrize("value", ["denied", False, 0, "C0001,C0002", ["ads"], 7], ids=repr)
def test_what_stands_in_the_place_of_the_mapping_is_said_of_every_purpose(value: Any) -> None:
    """A list of names may be of those that are granted; nobody can tell, so nobody is left in."""
    unread = () if value in ("denied", False) else ("ads", "mail")
    assert told(value) == said_of({"context": {"consent": value}}, None, PURPOSES) == ({"ads": False, "mail": False}, unread)


@pytest.mark.parametrize("value", [None, "", [], {}, True, 1, "granted"], ids=repr)
def test_nothing_and_a_grant_in_the_place_of_the_mapping_name_no_purpose(value: Any) -> None:
    assert told(value) == said_of({"context": {"consent": value}}, None, PURPOSES) == NOTHING


def test_an_update_wins_key_by_key() -> None:
    """Null decides nothing, so it wins over nothing; what was read in the end is not told as unread."""
    update = {"categoryPreferences": {"ads": "yes", "mail": None}}
    assert told({"ads": False, "mail": "no"}, update) == ({"ads": True, "mail": False}, ())
    assert told({"ads": "?"}, update) == ({"ads": True}, ())
    assert told({"ads": True}, {"categoryPreferences": {"ads": "?"}}) == ({"ads": False}, ("ads",))
    assert told({"ads": True, "mail": True}, {"categoryPreferences": "denied"}) == ({"ads": False, "mail": False}, ())
