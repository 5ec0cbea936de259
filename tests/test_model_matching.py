"""Links by likeness in the model, computed by hand: every weight here is a sum of whole bits."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

import contracts
from contracts.model.definitions import Definitions
from operators.match import model as trained
from operators.match.model import Model, Weights
from tests.generator import to_events
from tests.model import dump
from tests.model_links import instant
from tests.test_model import HASHER, NOW

NAME, TOWN, COLOUR = 6, 3, 1
"""Bits of an equal value; of one that differs so many less than none, of colours none. A pair of nothing has 0: even odds."""
NAMESPACES = [
    {"name": "user", "from": "userId"},
    {"name": "mail", "from": "mail", "unique": True},
    {"name": "device", "from": "anonymousId", "scope": "device", "shared_after": 3},
]
SETTINGS = {
    "accept": 0.98,
    "review": 0.8,
    "support": 0,
    "block": [["name"], ["town"], {"same": ["context.ip"], "within": "1h"}],
    "compare": [{"trait": "name"}, {"trait": "home.town"}, {"trait": "colour"}],
}
"""Six bits are 0.9846, five 0.9697, three 0.8889: accepted, and twice a candidate."""


def rules(**settings: Any) -> Definitions:
    """Definitions with these settings of the probabilistic part, and the model above."""
    identity = {"version": 1, "namespaces": NAMESPACES, "probabilistic": {**SETTINGS, **settings}}
    files = {"identity.yaml": json.dumps(identity), "consent.yaml": json.dumps({"purposes": [{"name": "marketing", "default": "denied"}]})}
    compares = contracts.load(files).identity.probabilistic
    assert compares is not None
    bits = [(NAME, -NAME), (TOWN, -TOWN), (COLOUR, 0)]
    weights = [
        Weights(compare, tuple(2.0 ** (-7 + bit) for bit in each), (2.0**-7,) * 2)
        for compare, each in zip(compares.compare, bits, strict=True)
    ]
    return contracts.load(files | {"identity_model.json": trained.dump(Model(0.5, tuple(weights))).decode()})


def tells(day: int, user: str, **more: Any) -> dict[str, Any]:
    """A user's identify call of a day in January; ``traits`` and other parts of the event are in ``more``."""
    body = {"type": "identify", "messageId": f"{day:02d}-{user}", "timestamp": f"2026-01-{day:02d}T00:00:00Z", "traits": {}}
    return {**body, **({"userId": user} if user else {}), **more}


def lives(day: int, user: str, name: str | None, town: str | None = None, **more: Any) -> dict[str, Any]:
    return tells(day, user, traits={"name": name, **({"home": {"town": town}} if town else {})}, **more)


def lines(definitions: Definitions, *bodies: dict[str, Any], control: list[Any] | None = None) -> list[dict[str, Any]]:
    found = dump(to_events(bodies, definitions), control or [], definitions, instant(NOW), hasher=HASHER)
    return [orjson.loads(line) for line in found]


def links(found: list[dict[str, Any]]) -> list[tuple[str, str, float]]:
    """The probabilistic links: both values and the weight."""
    return [(line["a"][1], line["b"][1], line["weight"]) for line in found if line.get("type") == "probabilistic"]


def people(found: list[dict[str, Any]]) -> list[list[str]]:
    """The values of each profile."""
    profiles: dict[str, list[str]] = {}
    for line in found:
        if line["kind"] == "identifier":
            profiles.setdefault(line["profile"], []).append(line["value"])
    return sorted(sorted(values) for values in profiles.values())


def confidences(found: list[dict[str, Any]]) -> list[float]:
    return sorted(line["confidence"] for line in found if line["kind"] == "profile")


def test_a_link_joins_the_leads_of_two_records() -> None:
    """It is as old as the newest value that is compared, whoever told it; what is not compared, and null, is no value."""
    found = lines(
        rules(),
        lives(1, "u1", "Ann"),
        tells(2, "u1", mail="a@x"),
        tells(3, "u2", traits={"colour": "red"}),
        lives(4, "u2", " ANN "),
        tells(5, "u2", traits={"colour": None, "shoe": 40}),
    )
    (link,) = (line for line in found if line.get("type") == "probabilistic")
    time = "2026-01-04T00:00:00.000000Z"
    assert link == {
        "kind": "link", "space": "shop", "type": "probabilistic", "a": ["user", "u1"], "b": ["user", "u2"],
        "first_seen": time, "last_seen": time, "weight": 6.0, "message": "", "count": 1,
    }  # fmt: skip
    assert people(found) == [["a@x", "u1", "u2"]]


@pytest.mark.parametrize(
    ("one", "two", "joined"),
    [
        (("Ann", None), ("Ann", None), 6.0),
        (("Ann", "York"), ("Ann", "York"), 9.0),
        (("Ann", "York"), ("Ann", "Hull"), None),  # 3 bits: a candidate
        ((None, "York"), (None, "York"), None),  # 3 bits, and by the line `town` nobody is compared: it is no trait
        (("Ann", None), ("Bob", None), None),
    ],
)
def test_only_what_is_sure_enough_joins(one: Any, two: Any, joined: float | None) -> None:
    found = lines(rules(), lives(1, "u1", *one), lives(2, "u2", *two))
    assert [weight for _, _, weight in links(found)] == ([] if joined is None else [joined])
    assert len(people(found)) == (2 if joined is None else 1)


def test_a_link_is_withdrawn_when_the_values_change() -> None:
    """The newest value counts, by the time of the event, then by its id; confidence is 1 again."""
    bodies = [lives(1, "u1", "Ann"), lives(2, "u2", "Ann"), lives(3, "u2", "Bob")]
    assert people(lines(rules(), *bodies[:2])) == [["u1", "u2"]]
    assert people(lines(rules(), *bodies)) == [["u1"], ["u2"]]
    assert confidences(lines(rules(), *bodies)) == [1.0, 1.0]


def test_clusters_are_joined_by_all_that_their_pairs_say() -> None:
    """Two Anns of two towns, and one who does not say where: she is as much the one as the other, and joins one.

    The other is linked to her as strongly, but to both she weighs 6 bits for the name and -3 for the town: 0.889.
    """
    bodies = [lives(1, "u1", "Ann", "York"), lives(2, "u2", "Ann"), lives(3, "u3", "Ann", "Hull")]
    found = lines(rules(support=0.1), *bodies)
    assert people(found) == [["u1"], ["u2", "u3"]]  # of equal weight: the newer link first
    assert links(found) == [("u2", "u3", 6.0)]
    assert people(lines(rules(support=0.1, accept=0.88), *bodies)) == [["u1", "u2", "u3"]]
    assert people(lines(rules(support=0), *bodies)) == [["u1", "u2", "u3"]]


def test_support_is_the_mean_probability_of_all_pairs() -> None:
    """Of the three above: (0.985 + 0.889) / 2 = 0.937."""
    bodies = [lives(1, "u1", "Ann", "York"), lives(2, "u2", "Ann"), lives(3, "u3", "Ann", "Hull")]
    assert people(lines(rules(accept=0.88, support=0.93), *bodies)) == [["u1", "u2", "u3"]]
    assert people(lines(rules(accept=0.88, support=0.94), *bodies)) == [["u1"], ["u2", "u3"]]


def test_what_differs_in_each_record_of_two_clusters_counts_more_than_once() -> None:
    """An Ann of York and one of Hull have 6 - 3 bits, 0.889; two of each 6 - 3·√2, 0.772."""
    settings = rules(support=0.1, accept=0.8)
    york = [lives(day, f"y{day}", "Ann", "York") for day in (1, 2)]
    hull = [lives(day, f"h{day}", "Ann", "Hull") for day in (3, 4)]
    assert people(lines(settings, york[0], hull[0])) == [["h3", "y1"]]
    assert people(lines(settings, *york, *hull)) == [["h3", "h4"], ["y1", "y2"]]


def test_a_record_that_is_seldom_alone_is_more_likely_the_one_beside_it() -> None:
    """With one in eight alone, each pair has three bits more; a model that does not say so takes everybody for alone."""
    definitions = rules()
    told = json.loads(definitions.files["identity_model.json"])
    bodies = [lives(1, "u1", None, "York"), lives(2, "u2", None, "York", context={"ip": "10.0.0.1"})]
    same = [{**body, "context": {"ip": "10.0.0.1"}, "timestamp": "2026-01-01T00:00:00Z"} for body in bodies]
    for more, weight in ({"alone": 0.125}, 6.0), ({"alone": 1.0}, None), ({}, None):
        kept = {key: value for key, value in told.items() if key != "alone"}
        model = {"identity_model.json": json.dumps(kept | more)}
        assert [each for _, _, each in links(lines(contracts.load(definitions.files | model), *same))] == ([weight] if weight else [])


@pytest.mark.parametrize(("minutes", "joined"), [(60, True), (61, False)])
def test_windowed_line(minutes: int, joined: bool) -> None:
    """Any sighting of one within an hour of any of the other makes them candidates; what they tell then counts whenever it was told."""
    times = ["2026-01-01T00:00:00Z", f"2026-01-02T{minutes // 60:02d}:{minutes % 60:02d}:00Z", "2026-01-02T00:00:00Z"]
    seen = [
        {"type": "track", "event": "seen", "messageId": f"s{at}", "timestamp": time, "userId": user, "context": {"ip": "10.0.0.1"}}
        for at, (user, time) in enumerate(zip(("u1", "u2", "u1"), times, strict=True))
    ]
    home = {"home": {"town": "York"}}
    found = lines(rules(accept=0.8, block=SETTINGS["block"][2:]), tells(8, "u1", traits=home), tells(9, "u2", traits=home), *seen)
    assert links(found) == ([("u1", "u2", 3.0)] if joined else [])


def test_a_block_that_is_too_large_makes_nobody_a_candidate() -> None:
    """Also those who were one before; and again, once there are fewer. Other blocks do not mind."""
    limited = rules(block_limit=2)
    bodies = [lives(1, "u1", "Ann"), lives(2, "u2", "Ann"), lives(3, "u3", "Ann"), lives(4, "u3", "Bob")]
    assert [len(people(lines(limited, *bodies[:many]))) for many in (2, 3, 4)] == [1, 3, 2]
    same = [{**body, "context": {"ip": "10.0.0.1"}, "timestamp": "2026-01-01T00:00:00Z"} for body in bodies[:2]]
    assert people(lines(limited, *same, bodies[2])) == [["u1", "u2"], ["u3"]]


def test_confidence_is_that_of_the_weakest_link_on_the_strongest_way() -> None:
    """u3 hangs on u2 by 9 bits and on the lead u1 by 6; u1 and u2 are linked by 9: the way around is the better one."""
    bodies = [
        tells(1, "u1", traits={"name": "Ann", "home": {"town": "York"}, "colour": None}),
        tells(2, "u2", traits={"name": "Ann", "home": {"town": "York"}, "colour": "red"}),
        tells(3, "u3", traits={"name": "Ann", "home": {"town": None}, "colour": "red"}),
        tells(4, "u4", traits={"name": "Eve"}),
        {"type": "track", "event": "seen", "messageId": "d", "timestamp": "2026-01-05T00:00:00Z", "userId": "u3", "anonymousId": "d"},
    ]
    found = lines(rules(), *bodies)
    assert links(found) == [("u1", "u2", 9.0), ("u1", "u3", 6.0), ("u2", "u3", 7.0)]
    assert confidences(found) == [round(128 / 129, 6), 1.0]


def test_limits_of_links_count_what_is_accepted_or_not() -> None:
    """With one link each, the heaviest stands; the next one finds both ends taken."""
    definitions = rules(accept=0.9)
    identity = json.loads(definitions.files["identity.yaml"]) | {"limits": {"links": 1}}
    limited = contracts.load(definitions.files | {"identity.yaml": json.dumps(identity)})
    bodies = [lives(1, "u1", "Ann", "York"), lives(2, "u2", "Ann", "York"), lives(3, "u3", "Ann")]
    assert people(lines(definitions, *bodies)) == [["u1", "u2", "u3"]]
    assert people(lines(limited, *bodies)) == [["u1", "u2"], ["u3"]]


def test_a_unique_namespace_refuses_likeness() -> None:
    bodies = [lives(1, "u1", "Ann", mail="a@x"), lives(2, "u2", "Ann", mail="b@x")]
    assert people(lines(rules(), *bodies)) == [["a@x", "u1"], ["b@x", "u2"]]


def test_an_unlink_of_the_leads_and_a_shared_device_refuse_likeness() -> None:
    """An unlink is of every kind of link; a device on which three persons were identified is like nobody."""
    bodies = [lives(1, "u1", "Ann"), lives(2, "u2", "Ann")]
    ends = {"a": {"namespace": "user", "value": "u2"}, "b": {"namespace": "user", "value": "u1"}}
    unlink = {"type": "unlink", **ends, "timestamp": "2025-01-01T00:00:00Z", "messageId": "c", "why": "test"}
    assert people(lines(rules(), *bodies, control=[unlink])) == [["u1"], ["u2"]]
    device = lives(3, "", "Ann", anonymousId="d")
    logins = [tells(day, user, anonymousId="d") for day, user in ((4, "u5"), (5, "u6"), (6, "u7"))]
    assert people(lines(rules(), bodies[0], device)) == [["d", "u1"]]
    assert people(lines(rules(), bodies[0], device, *logins)) == [["d"], ["u1"], ["u5"], ["u6"], ["u7"]]


@pytest.mark.parametrize(("day", "granted"), [(5, False), (9, True)])
def test_consent_through_a_link_by_likeness(day: int, granted: bool) -> None:
    """The two were alike from the 7th on: a grant overrides the other's denial if it comes after that."""

    def decides(at: int, user: str, said: bool) -> dict[str, Any]:
        return tells(at, user, context={"consent": {"categoryPreferences": {"marketing": said}}})

    found = lines(rules(), lives(1, "u1", "Ann"), lives(7, "u2", "Ann"), decides(2, "u1", False), decides(day, "u2", True))
    (profile,) = (line for line in found if line["kind"] == "profile")
    assert profile["consents"] == {"marketing": granted}
