"""`skep identity simulate`: golden scenarios through the real operators, in every order of lines, and input that is no good."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import orjson
import phonenumbers
import pytest

import contracts
from contracts.model.hashing import DEFAULT_SECRET, Hasher, profile_id
from skep.answers.simulation.lines import new_judge, read_lines, steps
from skep.answers.simulation.run import SPACE, read_rules, simulate
from skep.project.errors import CommandError
from tests import model
from tests.generator import scenario as generated
from tests.skep.test_cli import refused, skep
from tests.test_identity_scenarios import FILES, read

HASHER = Hasher(DEFAULT_SECRET, SPACE)
ROOT = Path(__file__).parents[2]
Answer = dict[str, Any]
Run = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """What `simulate` answers for rules (identity.yaml as a value) and lines (values, or bytes as they are)."""

    def do(lines: Iterable[Any], rules: Any = None) -> Any:
        return msgspec.to_builtins(simulate(*files(tmp_path, lines, rules), lambda *_: None).answer)

    return do


def files(folder: Path, lines: Iterable[Any], rules: Any = None) -> tuple[Path, Path]:
    """The two files of the command."""
    told, events = folder / "rules.yaml", folder / "events.jsonl"
    told.write_text(json.dumps(rules or {}))
    events.write_bytes(b"".join((line if isinstance(line, bytes) else orjson.dumps(line)) + b"\n" for line in lines))
    return told, events


def seen(message_id: str, minute: int = 0, **more: Any) -> dict[str, Any]:
    """A track call so many minutes into the year 2026."""
    time = f"2026-01-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00Z"
    return {"type": "track", "event": "seen", "messageId": message_id, "timestamp": time, **more}


def manual(kind: str, message_id: str, minute: int, pair: tuple[str, str], why: str = "a ticket") -> dict[str, Any]:
    """A manual entry of two identifiers written `namespace:value`."""
    ends = {end: dict(zip(("namespace", "value"), text.split(":", 1), strict=True)) for end, text in zip("ab", pair, strict=True)}
    return {**seen(message_id, minute), "type": kind, **ends, "why": why}


def lines_of(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """A golden file's events and manual entries as lines of a file."""
    return [{"type": "track", "event": "seen", **event} for event in scenario["events"]] + scenario.get("control", [])


def people(answer: Answer) -> list[list[str]]:
    """The profiles that hold identifiers, each as texts."""
    return sorted(sorted(":".join(pair) for pair in one["identifiers"]) for one in answer["profiles"] if one["identifiers"])


def told(answer: Answer) -> dict[str, Any]:
    """People and owners in the words of the golden files."""
    names = {}
    for one in answer["profiles"]:
        for namespace, value in one["identifiers"]:
            names[profile_id(HASHER.identifier(namespace, value))] = f"{namespace}:{value}"
            names[profile_id(HASHER.shared(namespace, value))] = f"shared:{namespace}:{value}"
    return {"people": people(answer), "owners": {one["messageId"]: names.get(one["profile"]) for one in answer["events"]}}


# ── golden scenarios


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden_scenario(file: Path, run: Run) -> None:
    """People and owners are those of the file, and the lines backwards give the same bytes."""
    scenario = read(file)
    lines = lines_of(scenario)
    answer = run(lines, scenario.get("rules"))
    assert told(answer) == {"people": scenario.get("people", []), "owners": scenario["owners"]}
    assert orjson.dumps(run(lines[::-1], scenario.get("rules"))) == orjson.dumps(answer)


def fed(folder: Path, lines: list[Any], rules: Any) -> bytes:
    """What a file would be fed as, in order: all that its outcome depends on."""
    told, events = files(folder, lines, rules)
    read = read_lines(events, new_judge(read_rules(told)), lambda *_: None)
    order = [[event.raw for event in step] if isinstance(step, list) else step.entry for step in steps(read, 1000)]
    return orjson.dumps([order, sorted((one.message_id or "", one.reason) for one in read.unread)], default=bytes.decode)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_lines_are_fed_in_one_order_only(file: Path, tmp_path: Path) -> None:
    """However the lines are shuffled, the operators are fed the same."""
    scenario, rng = read(file), random.Random(file.stem)
    lines = lines_of(scenario)
    expected = fed(tmp_path, lines, scenario.get("rules"))
    for _ in range(20):
        assert fed(tmp_path, rng.sample(lines, len(lines)), scenario.get("rules")) == expected


@pytest.mark.parametrize("seed", range(6))
def test_generated_lines_in_twenty_orders(seed: int, run: Run) -> None:
    """Repeats, conflicts, missing times and ids, broken lines and manual entries, in 20 orders: equal bytes."""
    made, rng = generated(seed, 40, conflicting=True), random.Random(seed)
    lines: list[Any] = [*made.events, *made.control, b"{torn", b"\xff\xfe", {"type": "track", "event": "seen", "userId": "no time"}]
    lines += [{**made.events[0], "messageId": None}, {**made.events[1], "timestamp": None, "receivedAt": "2026-01-05T00:00:00Z"}]
    rules = json.loads(made.definitions_files["identity.yaml"])
    expected = orjson.dumps(run(lines, rules))
    for _ in range(20):
        assert orjson.dumps(run(rng.sample(lines, len(lines)), rules)) == expected


@pytest.mark.parametrize("seed", range(100, 110))
def test_generated_scenarios_as_the_model_says(seed: int, run: Run, tmp_path: Path) -> None:
    """People, owners and accepted links are those of the model, each refused link has its reason."""
    made = generated(seed, 30)
    rules = made.definitions_files["identity.yaml"]
    definitions = contracts.load({"identity.yaml": rules})
    answer = run([*made.events, *made.control], json.loads(rules))
    judged = new_judge(definitions).judge_many([orjson.dumps(event) for event in made.events], 1, 0)[0]
    standing = model.accepted(judged)
    at = max((event.time_us for event in standing), default=0)
    dump = [orjson.loads(line) for line in model.dump(judged, made.control, definitions, at, hasher=HASHER)]
    owners = {line["id"]: line["profile"] for line in dump if line["kind"] == "message"}
    assert {one["messageId"]: one["profile"] for one in answer["events"] if one["profile"]} == owners
    links = sorted((line["a"], line["b"], line["type"]) for line in dump if line["kind"] == "link")
    assert [(one["a"], one["b"], one["kind"]) for one in answer["links"] if one["state"] == "accepted"] == links
    assert all((one["state"] == "accepted") is (one["reason"] is None) for one in answer["links"])
    profiles = {line["id"] for line in dump if line["kind"] == "profile"}
    assert {one["profile"] for one in answer["profiles"]} == profiles


# ── links and history


def state(answer: Answer) -> dict[tuple[str, str, str], str | None]:
    """By both ends and kind: why the link does not stand."""
    return {(":".join(one["a"]), ":".join(one["b"]), one["kind"]): one["reason"] for one in answer["links"]}


NAMESPACES = [
    {"name": "user_id", "from": "userId", "unique": True},
    {"name": "email", "from": "context.email", "limit": 2},
    {"name": "anonymous_id", "from": "anonymousId", "scope": "device", "shared_after": 3},
]


def test_every_refused_link_says_which_rule_refuses_it(run: Run) -> None:
    """unique, limit, limits.links, shared_after, and an unlink with its reason."""
    lines = [seen(f"t{n}", n, userId=f"u{n}", anonymousId="till") for n in range(3)]
    lines += [seen(f"e{n}", n, userId="u1", context={"email": f"e{n}"}) for n in range(3)]
    lines += [seen("x", 9, userId="u2", context={"email": "e2"}), seen("y", 10, userId="u0", context={"email": "e9"})]
    found = state(run([*lines, manual("unlink", "c", 20, ("user_id:u0", "email:e9"), "his brother's")], {"namespaces": NAMESPACES}))
    assert (
        found["user_id:u0", "anonymous_id:till", "deterministic"] == "shared_after: 3 persons or more were identified on anonymous_id:till"
    )
    assert found["user_id:u0", "email:e9", "deterministic"] == "unlinked by hand: his brother's"
    assert found["user_id:u2", "email:e2", "deterministic"] is None
    assert found["user_id:u1", "email:e2", "deterministic"] == "unique: the profile would have two values of user_id"
    assert found["user_id:u1", "email:e0", "deterministic"] is None
    more = [seen(f"e{n}", n, userId="u1", context={"email": f"e{n}"}) for n in range(4)]
    found = state(run(more, {"namespaces": NAMESPACES}))
    assert found["user_id:u1", "email:e0", "deterministic"] == "limit: the profile would have more than 2 values of email"
    assert found["user_id:u1", "email:e3", "deterministic"] is None
    devices = [seen(f"d{n}", n, userId="u1", anonymousId=f"d{n}") for n in range(4)]
    found = state(run(devices, {"limits": {"links": 2}}))
    words = "limits.links: not among the 2 newest links of user_id:u1 and of anonymous_id:d1"
    assert found["user_id:u1", "anonymous_id:d1", "deterministic"] == words
    found = state(run(devices, {"limits": {"identifiers": 3}}))
    words = "limits.identifiers: the profile would have more than 3 identifiers"
    assert found["user_id:u1", "anonymous_id:d1", "deterministic"] == words


def test_history_tells_merges_and_splits_with_their_evidence(run: Run) -> None:
    """A login merges the visitor into the customer; an unlink splits what it joined."""
    lines = [
        seen("1", 0, anonymousId="d"),
        seen("2", 1, anonymousId="d", userId="ann"),
        manual("unlink", "c", 60, ("user_id:ann", "anonymous_id:d"), "a shop's tablet"),
    ]
    answer = run(lines)
    ann, device = (profile_id(HASHER.identifier(*pair)) for pair in (("user_id", "ann"), ("anonymous_id", "d")))
    assert answer["history"] == [
        {
            "time": "2026-01-01T00:01:00.000000Z",
            "type": "merged",
            "profile": ann,
            "other": device,
            "cause": {"type": "message", "id": "2"},
            "evidence": {"identifiers": [["user_id", "ann"], ["anonymous_id", "d"]]},
            "rules": 1,
        },
        {
            "time": "2026-01-01T01:00:00.000000Z",
            "type": "split",
            "profile": ann,
            "other": device,
            "cause": {"type": "unlink", "id": "c"},
            "evidence": {**{end: lines[2][end] for end in ("a", "b")}, "why": "a shop's tablet"},
            "rules": 1,
        },
    ]
    assert [one["messageId"] for one in answer["events"]] == ["1", "2"]


def test_a_manual_link_that_contradicts_a_unique_namespace_is_refused(run: Run) -> None:
    answer = run([seen("1", userId="ann"), seen("2", userId="tom"), manual("link", "c", 5, ("user_id:ann", "user_id:tom"))])
    assert people(answer) == [["user_id:ann"], ["user_id:tom"]]
    assert state(answer) == {("user_id:ann", "user_id:tom", "manual"): "unique: the profile would have two values of user_id"}


def test_one_message_id_with_two_contents(run: Run) -> None:
    """The first by time stands, wherever its line is; the other is quarantined."""
    first, other = seen("1", 5, userId="ann"), seen("1", 6, userId="tom")
    for lines in ([first, other], [other, first, first]):
        answer = run(lines)
        ann = profile_id(HASHER.identifier("user_id", "ann"))
        assert answer["events"] == [{"messageId": "1", "profile": None}, {"messageId": "1", "profile": ann}]
        assert people(answer) == [["user_id:ann"]]


# ── input that is no good


def test_files_that_hold_no_or_broken_lines(run: Run, tmp_path: Path) -> None:
    """An empty file, bytes that are no UTF-8, a torn last line: what is good is taken, the rest has no profile."""
    nothing: Answer = {"profiles": [], "events": [], "links": [], "history": []}
    assert run([]) == nothing
    assert run([b"", b"  ", b"\r"]) == nothing
    good = seen("1", userId="ann")
    answer = run([good, b"\xff\xfe\x00", orjson.dumps(good)[:-9], b"[]", {"type": "link", "messageId": "c"}, b'"text"'])
    assert people(answer) == [["user_id:ann"]]
    assert [one["messageId"] for one in answer["events"]] == [None, None, None, None, "1"]
    assert all(one["profile"] is None for one in answer["events"][:4])
    with pytest.raises(CommandError, match="expected a file of JSON lines"):
        simulate(tmp_path / "rules.yaml", tmp_path, lambda *_: None)


def test_manual_lines_that_say_nothing_usable_are_not_applied(tmp_path: Path) -> None:
    """Without a time, of a blocked value, of a namespace that is not there, of one identifier twice."""
    lines: list[Any] = [
        {**manual("link", "1", 0, ("user_id:ann", "email:a@shop.org")), "timestamp": None},
        manual("link", "2", 0, ("user_id:null", "email:a@shop.org")),
        manual("link", "3", 0, ("customer:ann", "email:a@shop.org")),
        manual("unlink", "4", 0, ("user_id:ann", "user_id: ann")),
        {"type": "link", "a": 1, "b": [], "timestamp": "2026-01-01"},
    ]
    found = simulate(*files(tmp_path, lines), lambda *_: None)
    assert [(one.line, one.ruling) for one in found.unread] == [(n, True) for n in range(1, 6)]
    assert msgspec.to_builtins(found.answer) == {"profiles": [], "events": [], "links": [], "history": []}


def test_long_and_strange_identifiers(run: Run) -> None:
    """10,000 bytes are an identifier, one more is none; emoji are kept, controls are not; two normal forms are one text."""
    long, composed, decomposed = "x" * 10_000, "Zoë", "Zoe\u0308"
    lines = [
        seen("1", userId=long, anonymousId="d1"),
        seen("2", userId=long + "x", anonymousId="d2"),
        seen("3", userId="🐝\u200d🍯", anonymousId="d3"),
        seen("4", userId=composed),
        seen("5", userId=decomposed),
        seen("6", userId="tab\there\u0000"),
        seen("7", userId="é" * 5_001, anonymousId="d4"),
    ]
    expected = [[f"anonymous_id:{d}", f"user_id:{u}"] for d, u in (("d1", long), ("d3", "🐝\u200d🍯"))]
    expected += [["anonymous_id:d2"], ["anonymous_id:d4"], [f"user_id:{composed}"], ["user_id:tab here"]]
    assert people(run(lines)) == sorted(expected)


def test_one_address_in_many_hands(run: Run) -> None:
    """Blanks, case and compatibility forms are one address; plus-tags and dots are others."""
    same = ["ann@shop.org", "  Ann@Shop.ORG ", "\tANN@SHOP.ORG\n", "ａｎｎ@shop.org", "ann＠shop.org"]
    others = ["ann+news@shop.org", "a.nn@shop.org", "ann@shop.org.uk"]
    lines = [seen(f"m{at}", at, context={"traits": {"email": text}}) for at, text in enumerate([*same, *others])]
    answer = run(lines)
    assert people(answer) == sorted([f"email:{text}"] for text in ["ann@shop.org", *others])
    assert len({one["profile"] for one in answer["events"] if one["messageId"] in {f"m{at}" for at in range(len(same))}}) == 1


COUNTRIES = (
    "GB", "US", "DE", "FR", "IT", "ES", "PT", "NL", "BE", "AT", "CH", "SE", "NO", "DK", "FI", "PL", "CZ", "HU", "RO", "GR", "IE",
    "TR", "RU", "UA", "IN", "CN", "JP", "KR", "AU", "NZ", "BR", "MX", "ZA", "NG", "EG",
)  # fmt: skip


@pytest.mark.parametrize("country", COUNTRIES)
def test_phone_numbers_as_people_write_them(country: str, run: Run) -> None:
    """National, international, with 00, with brackets, dots and blanks: one number in the country's own region."""
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    forms = phonenumbers.PhoneNumberFormat
    e164 = phonenumbers.format_number(number, forms.E164)
    national, international = (phonenumbers.format_number(number, form) for form in (forms.NATIONAL, forms.INTERNATIONAL))
    written = [e164, national, international, national.replace(" ", "."), f" {international.replace(' ', '-')} "]
    written += [phonenumbers.format_number(number, forms.RFC3966), phonenumbers.format_out_of_country_calling_number(number, country)]
    rules = {"namespaces": [{"name": "phone", "from": "userId", "normalize": "phone", "region": country}]}
    answer = run([seen(f"{at}", at, userId=text) for at, text in enumerate(written)], rules)
    assert people(answer) == [[f"phone:{e164}"]]


def test_a_hub_is_bounded_by_the_limit_of_identifiers(run: Run) -> None:
    """One user id on 3,000 devices: the newest 999 are its own, all others are profiles of one and say why."""
    answer = run([seen(f"m{n}", n, userId="hub", anonymousId=f"d{n:04}") for n in range(3_000)])
    sizes = sorted(len(one["identifiers"]) for one in answer["profiles"])
    assert sizes == [1] * 2_001 + [1_000]
    hub = max(people(answer), key=len)
    assert hub == [*(f"anonymous_id:d{n:04}" for n in range(2_001, 3_000)), "user_id:hub"]
    reasons = [one["reason"] for one in answer["links"] if one["reason"]]
    assert len(reasons) == 2_001
    assert all(reason.startswith(("limits.links: ", "limits.identifiers: ")) for reason in reasons)
    assert len({one["profile"] for one in answer["events"]}) == 1


@pytest.mark.parametrize("kind", ["event", "manual"])
def test_ten_thousand_links_between_two_clusters(kind: str, run: Run) -> None:
    """Two clusters of 101 become one by the first of them; the others, of one batch, change nothing."""
    rules = {"namespaces": [{"name": "group", "from": "context.group"}, {"name": "part", "from": ["context.part", "context.parts[]"]}]}
    size = 100 if kind == "event" else 40
    lines: list[Any] = [seen(f"{g}{n}", n, context={"group": g, "part": f"{g}{n}"}) for g in "ab" for n in range(size)]
    pairs = [(f"a{n}", f"b{m}") for n in range(size) for m in range(size)]
    if kind == "event":
        lines += [seen(f"{a}{b}", 200, context={"parts": [a, b]}) for a, b in pairs]
    else:
        lines += [manual("link", f"{a}{b}", 200, (f"part:{a}", f"part:{b}")) for a, b in pairs]
    answer = run(lines, rules)
    assert [len(one["identifiers"]) for one in answer["profiles"]] == [2 * size + 2]
    assert sum(one["state"] == "accepted" for one in answer["links"]) == len(pairs) + 2 * size
    assert [one["type"] for one in answer["history"]] == ["merged"]


# ── the command


def test_the_command_prints_json_and_tables(tmp_path: Path) -> None:
    """JSON for programs, tables for people, what was not taken in on stderr; no project is needed."""
    lines = [seen("1", anonymousId="d"), seen("2", 1, anonymousId="d", userId="ann"), b"{torn"]
    rules, events = map(str, files(tmp_path, lines))
    done = skep("identity", "simulate", "--rules", rules, "--events", events, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == msgspec.to_builtins(simulate(Path(rules), Path(events), lambda *_: None).answer)
    assert done.stderr.startswith("line 3: quarantined: undecodable: expected one JSON object in UTF-8")
    shown = skep("identity", "simulate", "--rules", rules, "--events", events).stdout
    assert [line for line in shown.splitlines() if "anonymous_id:d, user_id:ann" in line]
    assert "profiles: 1" in shown
    assert "history: 1" in shown


def test_errors_of_the_rules_name_file_line_and_key(tmp_path: Path) -> None:
    rules, events = files(tmp_path, [])
    rules.write_text("version: 1\nnamespaces:\n  - {name: user_id, from: userId}\nlimits: {identifier: 5}\nblocked: {patterns: ['(']}\n")
    said = refused(skep("identity", "simulate", "--rules", str(rules), "--events", str(events)))
    assert f"{rules}:4: limits.identifier: expected one of the keys identifiers or links" in said
    assert f"{rules}:5: blocked.patterns[0]: expected a regular expression" in said
    rules.write_text("version: 1\nblocked:\n  patterns: ['^0+$', '$0']\n")
    said = refused(skep("identity", "simulate", "--rules", str(rules), "--events", str(events)))
    assert f"{rules}:3: blocked.patterns[1]: expected a pattern that some value matches, found '$0'" in said
    assert f"{tmp_path}/no: expected" in refused(skep("identity", "simulate", "--rules", f"{tmp_path}/no", "--events", str(events)))
