"""`skep profile explain`: a trait's value, the events that it comes from, when and to what it changes by itself."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.promises.project import Json, asked, project, ran
from tests.skep.test_cli import refused, skep

RULES: Json = {"version": 1, "namespaces": [{"name": "user_id", "from": "userId", "unique": True}]}
TRAITS: Json = {
    "traits": [
        {"name": "spent", "sum": "total", "did": "order_completed", "where": {"currency": "EUR"}},
        {"name": "first_order", "first": "id", "did": "order_*"},
        {"name": "last_order", "last": "id", "did": "order_*"},
        {"name": "orders", "count": True, "did": "order_completed"},
        {"name": "dearest", "max": "total", "did": "order_completed"},
        {"name": "pause", "interval_mean": True, "did": "order_completed"},
        {"name": "ago", "since_last": True, "did": "order_completed", "within": "2d"},
        {"name": "silence", "since_last": True, "did": "order_completed"},
        {"name": "tags", "merge": "union"},
        {"name": "share", "ratio": {"of": "spent", "to": "recent"}},
        {"name": "recent", "count": True, "did": "order_completed", "within": "10d"},
    ]
}


def order(number: int, total: object, currency: str = "EUR") -> bytes:
    """An order at noon of a day of January 2026."""
    said = {"id": f"o{number}", "total": total, "currency": currency}
    head = {"type": "track", "event": "Order Completed", "userId": "ann", "messageId": f"m{number}"}
    return orjson.dumps({**head, "timestamp": f"2026-01-{number:02d}T12:00:00Z", "properties": said})


LINES = [
    order(9, 2.5), order(1, 10), order(12, "5"), order(3, 7, "GBP"), order(8, 0),
    orjson.dumps({
        "type": "identify", "userId": "ann", "messageId": "m2", "timestamp": "2026-01-02T12:00:00Z",
        "traits": {"city": "Bonn", "age": None, "tags": ["a", "b"]},
    }),
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trait") / "shop"
    files = {"identity.yaml": RULES, "traits.yaml": TRAITS, "events/order_completed/1-0-0.json": {"type": "object"}}
    project(folder, files, LINES)
    ran(folder)
    return folder


def told(shop: Path, trait: str, *options: str) -> Json:
    (found,) = asked(shop, "profile", "explain", "user_id:ann", trait, *options)
    return dict(found)


def messages(found: Json) -> list[str]:
    return [one["message"] for one in found["sources"]]


def test_a_sum_comes_from_the_events_that_add_to_it(shop: Path) -> None:
    """Not from another currency's, from a text, or from one that adds nothing."""
    found = told(shop, "spent")
    assert (found["value"], found["turns"], found["says"]) == (12.5, None, "sum of total over order_completed where currency = EUR")
    assert [(one["message"], one["value"]) for one in found["sources"]] == [("m1", 10), ("m9", 2.5)]


def test_a_first_and_a_last_value_come_from_one_event_each(shop: Path) -> None:
    assert messages(told(shop, "first_order")) == ["m1"]
    assert messages(told(shop, "last_order")) == ["m12"]
    assert messages(told(shop, "dearest")) == ["m1"]
    assert messages(told(shop, "pause")) == ["m1", "m3", "m8", "m9", "m12"]


def test_what_leaves_a_window_is_said_before(shop: Path) -> None:
    """At the moment that is named the dump has the other value, a microsecond before it still this one."""
    found = told(shop, "recent")
    assert (found["value"], messages(found)) == (4, ["m3", "m8", "m9", "m12"])
    assert found["turns"] == {"at": "2026-01-13T12:00:00.000000Z", "to": 3}
    for at, value in (("2026-01-13T11:59:59.999999Z", 4), ("2026-01-13T12:00:00Z", 3)):
        dumped = [orjson.loads(line) for line in skep("dump", "--at", at, project=shop).stdout.splitlines()]
        assert [one["traits"]["recent"] for one in dumped if "traits" in one] == [value]
    assert (told(shop, "ago")["value"], told(shop, "ago")["turns"]) == (0, {"at": "2026-01-14T12:00:00.000000Z", "to": None})
    assert (told(shop, "silence")["value"], told(shop, "silence")["turns"]) == (0, None)
    said = skep("profile", "explain", "user_id:ann", "recent", project=shop).stdout
    assert "if nothing else happens, 3 at 2026-01-13T12:00:00" in said


def test_what_identify_calls_write(shop: Path) -> None:
    assert (told(shop, "city")["value"], messages(told(shop, "city")), told(shop, "city")["says"]) == ("Bonn", ["m2"], None)
    assert told(shop, "age")["value"] is None
    assert "age: missing" in skep("profile", "explain", "user_id:ann", "age", project=shop).stdout


def test_what_is_merged_comes_from_the_calls_that_say_it(shop: Path) -> None:
    found = told(shop, "tags")
    assert (found["value"], messages(found), found["says"]) == (["a", "b"], ["m2"], "different values of tags that identify calls write")


def test_what_is_made_of_other_traits_says_of_which_and_when_it_changes(shop: Path) -> None:
    found = told(shop, "share")
    assert (found["value"], found["says"], found["made_of"], found["sources"]) == (
        3.125, "spent / recent", {"spent": 12.5, "recent": 4}, [],
    )  # fmt: skip
    assert found["turns"] == {"at": "2026-01-13T12:00:00.000000Z", "to": 4.166667}
    said = skep("profile", "explain", "user_id:ann", "share", project=shop).stdout
    assert "spent / recent" in said
    assert "if nothing else happens, 4.166667 at 2026-01-13T12:00:00" in said


def test_the_newest_events_and_how_many_are_left_out(shop: Path) -> None:
    found = told(shop, "orders", "--limit", "2")
    assert (messages(found), found["earlier"]) == (["m9", "m12"], 3)
    assert (
        "3 earlier events are left out: --limit 5"
        in skep("profile", "explain", "user_id:ann", "orders", "--limit", "2", project=shop).stdout
    )


def test_what_there_is_not(shop: Path) -> None:
    assert "did you mean spent?" in refused(skep("profile", "explain", "user_id:ann", "spend", project=shop))
    assert "nobody has user_id:bob" in refused(skep("profile", "explain", "user_id:bob", "spent", project=shop))
