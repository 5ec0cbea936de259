"""`skep segments simulate`: every golden file and generated lives through the streaming engine, clocked cases, and bad input."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

import contracts
from contracts.model.hashing import DEFAULT_SECRET, Hasher, profile_id
from contracts.text.times import iso
from skep.answers.simulation.lines import new_judge
from skep.answers.simulation.members import Rehearsed, simulate_segments
from skep.answers.simulation.run import SPACE
from skep.project.errors import CommandError
from tests import model
from tests.drawn_definitions import definitions_files
from tests.generator import scenario, to_events, written
from tests.golden.cases import FOLDER, read
from tests.model_links import instant
from tests.skep.test_cli import refused, skep

HASHER = Hasher(DEFAULT_SECRET, SPACE)
GOLDEN = sorted(FOLDER.glob("*.txt"))
DAY = 86_400_000_000
IN_LIFE = frozenset({"identity.yaml", "sources", "destinations", "quality.yaml"})


def laid(folder: Path, files: dict[str, str]) -> Path:
    """A folder of definitions: segments in it, or below segments/."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def told(folder: Path, files: dict[str, str], lines: Iterable[Any], times: Sequence[str], rules: str | None = None) -> Rehearsed:
    """What the command finds for files, lines (values, or bytes as they are) and times."""
    definitions, events, said = folder / "definitions", folder / "events.jsonl", folder / "rules.yaml"
    definitions.mkdir(exist_ok=True)
    events.write_bytes(b"".join((line if isinstance(line, bytes) else orjson.dumps(line)) + b"\n" for line in lines))
    if rules is not None:
        said.write_text(rules)
    return simulate_segments(laid(definitions, files), events, times, None if rules is None else said, lambda *_: None)


def members(found: Rehearsed) -> dict[str, dict[str, list[str]]]:
    """By time and person, the first identifier's value, the segments."""
    shown: dict[str, dict[str, list[str]]] = {}
    for one in found.enrolled:
        shown.setdefault(one.at, {})[one.identifiers[-1][1]] = one.segments
    return shown


def flat(files: dict[str, str]) -> dict[str, str]:
    """The same with the segments beside the others."""
    return {path.removeprefix("segments/"): text for path, text in files.items()}


# ── the model


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_file(path: Path, tmp_path: Path) -> None:
    """All times of a file at once, its lines in any order."""
    case, rng = read(path), random.Random(path.stem)
    files = case.definitions.files if rng.random() < 0.5 else flat(case.definitions.files)
    rules = case.definitions.files.get("identity.yaml")
    found = told(tmp_path, files, map(written, rng.sample(case.bodies, len(case.bodies))), case.times, rules)
    assert found.unread == []
    for time in case.times:
        # A file does not say from which source its events come.
        events = to_events([body for _, body in case.until(time)], case.definitions)
        lines = [orjson.loads(line) for line in model.dump(events, [], case.definitions, instant(time), hasher=HASHER)]
        expected = {line["id"]: line["segments"] for line in lines if line["kind"] == "profile"}
        assert {one.profile: one.segments for one in found.enrolled if one.at == time} == expected, time


@pytest.mark.parametrize("seed", range(12))
def test_generated_lives_as_the_model_says(seed: int, tmp_path: Path) -> None:
    """Drawn definitions, identities that merge and split, repeats, consents and accounts, at times between and behind the events."""
    made, rng = scenario(seed, 60), random.Random(seed)
    files = {path: text for path, text in definitions_files(seed).items() if path.split("/")[0] not in IN_LIFE}
    rules = made.definitions_files["identity.yaml"]
    definitions = contracts.load({**files, "identity.yaml": rules}, unknown_events_ok=True, contradictions_ok=True)
    judged = new_judge(definitions).judge_many([orjson.dumps(event) for event in made.events], 1, 0)[0]
    moments = sorted({event.time_us for event in judged})
    asked = [moments[-1] + rng.choice((0, DAY, 40 * DAY)), *rng.sample(moments, 3), rng.choice(moments) + DAY]
    found = told(tmp_path, flat(files), rng.sample(made.events, len(made.events)), [iso(moment) for moment in asked], rules)
    for moment in asked:
        known = [event for event in judged if event.time_us <= moment]
        lines = [orjson.loads(line) for line in model.dump(known, [], definitions, moment, hasher=HASHER)]
        expected = {line["id"]: line["segments"] for line in lines if line["kind"] == "profile"}
        assert {one.profile: one.segments for one in found.enrolled if one.at == iso(moment)} == expected, (seed, iso(moment))


# ── clocks


def track(person: str, name: str, time: str, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "userId": person, "timestamp": time, "properties": properties}


def segment(name: str, who: str, **more: str) -> dict[str, str]:
    return {f"{name}.yaml": "\n".join([f"segment: {name}", *(f"{key}: {value}" for key, value in more.items()), f"who: {who}"])}


def test_a_window_ends_at_the_microsecond(tmp_path: Path) -> None:
    """Later than so long ago: at the end of the window itself the event has fallen out."""
    files = {**segment("bought", "{did: order_completed, within: 1h}"), **segment("quiet", "{not: {segment: bought}}")}
    times = ["2026-01-01T10:00:00.000001Z", "2026-01-01T09:59:59.999999Z", "2026-01-01T09:00:00Z", "2026-01-01T10:00:00+00:00"]
    found = members(told(tmp_path, files, [track("1", "Order Completed", "2026-01-01T09:00:00Z")], times))
    assert found == {times[0]: {"1": ["quiet"]}, times[1]: {"1": ["bought"]}, times[2]: {"1": ["bought"]}, times[3]: {"1": ["quiet"]}}
    assert list(found) == times


def test_days_of_a_time_zone_in_the_night_in_which_the_clocks_change(tmp_path: Path) -> None:
    """The day on which Berlin's clocks go forward has 23 hours; the next begins at 22:00 UTC."""
    files = segment("today", "{trait: day, before: 2026-03-30}", timezone="Europe/Berlin")
    files |= segment("two_days", "{did: seen, distinct_days: true, gte: 2}", timezone="Europe/Berlin")
    identify = {"type": "identify", "userId": "1", "timestamp": "2026-01-01T00:00:00Z", "traits": {"day": "2026-03-29T21:59:59Z"}}
    lines = [identify, track("1", "seen", "2026-03-29T21:59:59Z"), track("1", "seen", "2026-03-29T22:00:00Z")]
    found = members(told(tmp_path, files, lines, ["2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"]))
    assert found == {"2026-03-29T21:59:59Z": {"1": ["today"]}, "2026-03-29T22:00:00Z": {"1": ["today", "two_days"]}}


def test_the_anniversary_of_29_february(tmp_path: Path) -> None:
    """It falls on the 28th in other years."""
    files = segment("soon", "{trait: born, anniversary_in_next: 1d}")
    born = {"type": "identify", "userId": "1", "timestamp": "2026-01-01T00:00:00Z", "traits": {"born": "2000-02-29"}}
    times = ["2026-02-26T23:59:59.999999Z", "2026-02-27T00:00:00Z", "2026-02-28T23:59:59.999999Z", "2026-03-01", "2028-02-28", "2028-03-01"]
    found = members(told(tmp_path, files, [born], times))
    assert [found[time]["1"] for time in times] == [[], ["soon"], ["soon"], [], ["soon"], []]


def test_a_time_knows_nothing_of_what_comes_later(tmp_path: Path) -> None:
    """Somebody is listed from the first event on, a login joins from its moment on, and what lies years back counts."""
    files = segment("saw", "{did: seen}")
    lines: list[Any] = [
        {"type": "identify", "userId": "1", "anonymousId": "d", "timestamp": "2026-01-03T00:00:00Z"},
        {**track("", "seen", "2026-01-02T23:50:00Z"), "userId": None, "anonymousId": "d"},
        track("2", "seen", "1999-01-01T00:00:00Z"),
    ]
    found = told(tmp_path, files, lines, ["2026-01-04", "2026-01-02T23:55:00Z", "2026-01-01", "1998-12-31"])
    shown = [(one.at, one.identifiers, one.segments) for one in found.enrolled]
    assert shown == [
        ("2026-01-04", [["anonymous_id", "d"], ["user_id", "1"]], ["saw"]),
        ("2026-01-04", [["user_id", "2"]], ["saw"]),
        ("2026-01-02T23:55:00Z", [["anonymous_id", "d"]], ["saw"]),
        ("2026-01-02T23:55:00Z", [["user_id", "2"]], ["saw"]),
        ("2026-01-01", [["user_id", "2"]], ["saw"]),
    ]
    assert found.enrolled[1].profile == profile_id(HASHER.identifier("user_id", "2"))


# ── what need not be declared


def test_purposes_are_what_segments_name(tmp_path: Path) -> None:
    """Any event grants and withdraws, without consent.yaml; what nobody has decided is denied."""
    files = {**segment("told", "{did: seen}", purpose="marketing"), **segment("asked", "{not: {consent: ads}}")}
    granted = {"consent": {"categoryPreferences": {"marketing": True, "ads": "granted"}}}
    withdrawn = {"consent": {"categoryPreferences": {"marketing": False}}}
    lines = [
        {**track("1", "seen", "2026-01-02"), "context": granted},
        track("2", "seen", "2026-01-02"),
        {"type": "page", "name": "Privacy", "userId": "1", "timestamp": "2026-01-03", "context": withdrawn},
    ]
    found = members(told(tmp_path, files, lines, ["2026-01-02", "2026-01-03"]))
    assert found == {"2026-01-02": {"1": ["told"], "2": ["asked"]}, "2026-01-03": {"1": [], "2": ["asked"]}}


def test_declared_purposes_have_their_defaults(tmp_path: Path) -> None:
    files = segment("told", "{did: seen}", purpose="marketing")
    files["consent.yaml"] = "purposes:\n  - {name: marketing, default: granted}\n"
    assert members(told(tmp_path, files, [track("1", "seen", "2026-01-02")], ["2026-01-02"])) == {"2026-01-02": {"1": ["told"]}}
    with pytest.raises(CommandError, match=r"ads\.yaml:2: purpose: expected a purpose of consent\.yaml, found ads"):
        told(tmp_path, {**files, **segment("ads", "{did: seen}", purpose="ads")}, [], ["2026-01-02"])


def test_names_pages_accounts_tiers_and_destinations(tmp_path: Path) -> None:
    """Events by any way of writing them; a destination that is nowhere is none's matter here."""
    files = segment("bought", "{did: Order Completed}", tier="micro", min_size="100", activate="[crm_webhook]")
    files |= segment("looked", "{all: [{did: page_viewed, where: {name: Home}}, {did: screen_viewed}]}")
    files |= segment("large", "{account: {trait: seats, gte: 10}}")
    lines = [
        *(track(str(at), name, "2026-01-02") for at, name in enumerate(("order-completed", "OrderCompleted", "ORDER  COMPLETED"))),
        {"type": "page", "name": "Home", "userId": "0", "timestamp": "2026-01-02"},
        {"type": "screen", "name": "Cart", "userId": "0", "timestamp": "2026-01-02"},
        {"type": "group", "groupId": "g", "userId": "1", "timestamp": "2026-01-02", "traits": {"seats": 12}},
    ]
    found = members(told(tmp_path, files, lines, ["2026-01-02"]))["2026-01-02"]
    assert found == {"0": ["bought", "looked"], "1": ["bought", "large"], "2": ["bought"]}


def test_with_contracts_events_are_judged_by_them(tmp_path: Path) -> None:
    """What a contract refuses, or what has none, is named and counts for nothing."""
    schema = {"type": "object", "properties": {"revenue": {"type": "number"}}, "required": ["revenue"], "additionalProperties": False}
    files = {**segment("bought", "{did: order_completed}"), "events/order_completed/1-0-0.json": orjson.dumps(schema).decode()}
    lines = [
        track("1", "order_completed", "2026-01-02"),
        track("2", "order_completed", "2026-01-02", revenue=1),
        track("3", "x", "2026-01-02"),
    ]
    found = told(tmp_path, files, lines, ["2026-01-02"])
    assert members(found) == {"2026-01-02": {"2": ["bought"]}}
    assert [(one.line, one.reason) for one in found.unread] == [(1, "invalid"), (3, "unknown_event")]
    with pytest.raises(CommandError, match=r"other\.yaml:2: who\.did: expected an event with a contract in events/, found ordered"):
        told(tmp_path, {**files, **segment("other", "{did: ordered}")}, lines, ["2026-01-02"])


# ── the command, and what is no good


def test_the_command_prints_a_line_for_each_profile_and_time(tmp_path: Path) -> None:
    """Blank lines count for nothing, a broken one is named, and what identity.yaml says is taken with --identity alone."""
    definitions = laid(tmp_path / "d", {"segments/saw.yaml": "segment: saw\nwho: {did: seen}\n", "identity.yaml": "{", "notes.txt": "x"})
    body = orjson.dumps({**track("42", "seen", "2026-01-02T10:00:00Z"), "messageId": "1", "traits": {"email": "a@example.com"}})
    (tmp_path / "e.jsonl").write_bytes(b"\n" + body + b"\r\n\n{torn\n")
    words = (
        "segments",
        "simulate",
        "--definitions",
        str(definitions),
        "--events",
        str(tmp_path / "e.jsonl"),
        "--at",
        "2026-01-02T12:00:00+02:00",
    )
    done = skep(*words)
    assert orjson.loads(done.stdout) == {
        "at": "2026-01-02T12:00:00+02:00",
        "profile": profile_id(HASHER.identifier("user_id", "42")),
        "identifiers": [["user_id", "42"]],
        "segments": ["saw"],
    }
    assert done.stderr.startswith("line 4: quarantined: undecodable: ")
    (tmp_path / "r.yaml").write_text("namespaces: [{name: mail, from: traits.email}]")
    assert orjson.loads(skep(*words, "--identity", str(tmp_path / "r.yaml")).stdout)["identifiers"] == [["mail", "a@example.com"]]


@pytest.mark.parametrize(
    ("files", "at", "words"),
    [
        ({"a.yaml": "segment: a\nwho: {did: x, within: 1 month}\n"}, "2026-01-01", "d/a.yaml:2: who.within: expected a duration"),
        ({"a.yaml": "segment: a\nwho: {segment: b}\n"}, "2026-01-01", "d/a.yaml:2: who.segment: expected the name of a segment"),
        ({"segments/a.yml": "segment: a\nwho: {did: x}\n"}, "2026-01-01", "d/segments/a.yml:1: expected segments/<name>.yaml"),
        ({"a.yaml": "who: {did: x}", "segments/a.yaml": "who: {did: x}"}, "2026-01-01", "expected one file of the segment a, found"),
        ({"traits.yaml": "traits: [{name: n, sum: 3}]"}, "2026-01-01", "d/traits.yaml:1: traits[0]"),
        ({"a.yaml": "segment: a\nwho: {did: x}\n"}, "tomorrow", "--at tomorrow: expected a time like 2026-01-31"),
        ({"a.yaml": "segment: a\nwho: {did: x}\n"}, "2026-01-01T24:00:00Z", "--at 2026-01-01T24:00:00Z: expected a time"),
    ],
)
def test_what_check_refuses_names_the_file(files: dict[str, str], at: str, words: str, tmp_path: Path) -> None:
    laid(tmp_path / "d", files)
    (tmp_path / "e.jsonl").write_text("")
    places = ("--definitions", str(tmp_path / "d"), "--events", str(tmp_path / "e.jsonl"))
    assert words in refused(skep("segments", "simulate", *places, "--at", at))


def test_a_folder_or_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    words = ("segments", "simulate", "--at", "2026-01-01", "--events", str(tmp_path / "x"), "--definitions")
    assert "e: expected a folder with the YAML files of segments, found nothing" in refused(skep(*words, str(tmp_path / "e")))
    assert "x: expected a file of JSON lines, No such file" in refused(skep(*words, str(tmp_path / "d")))


def test_stdin_and_a_value_that_looks_like_a_placeholder(tmp_path: Path) -> None:
    """Without rules of identities nothing is blocked but an empty text."""
    definitions = laid(tmp_path / "d", segment("saw", "{did: seen}"))
    body = b"\n".join(orjson.dumps(track(person, "seen", "2026-01-02")) for person in ("0", "", "unknown"))
    words = ("segments", "simulate", "--definitions", str(definitions), "--events", "-", "--at", "2026-01-02")
    done = subprocess.run([sys.executable, "-m", "skep.cli", *words], input=body, capture_output=True, check=True)
    assert [orjson.loads(line)["identifiers"] for line in done.stdout.splitlines()] == [[["user_id", "0"]], [["user_id", "unknown"]]]
    assert done.stderr == b""
