"""`skep segments explain` and the consents of `skep profile show`: what they say of somebody, and of what there is not."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from operators.segments.explain import Reason
from skep.answers.membership import explained
from skep.answers.profiles import find
from skep.cli import console
from skep.cli.console import json_bytes
from skep.cli.main import app
from skep.cli.show.membership import reason_lines
from skep.project.errors import CommandError
from skep.project.settings import Settings
from tests.skep.small_shop import SECRET


@pytest.fixture
def settings(small_shop: Path) -> Settings:
    return Settings.load(small_shop, secret=SECRET)


@pytest.mark.parametrize(
    ("segment", "who", "says"),
    [
        ("lapsin", "user_id:1", "expected one of the segments buyers, lapsing or spenders, found lapsin → did you mean lapsing?"),
        ("lapsing", "user_id:77", "nobody has user_id:77: expected an identifier of an accepted event"),
        ("lapsing", "p_0000", "nobody has p_0000"),
        ("lapsing", "p_" + "0" * 32, "nobody has p_000"),
        ("lapsing", "usr_id:1", "expected one of the namespaces user_id, email or anonymous_id, found usr_id → did you mean user_id?"),
        ("lapsing", "ann", "expected NAMESPACE:VALUE such as user_id:42, found ann"),
    ],
)
def test_what_there_is_not(settings: Settings, segment: str, who: str, says: str) -> None:
    with pytest.raises(CommandError) as raised:
        explained(settings, segment, who, None)
    assert says in str(raised.value)


def test_a_segment_that_is_not_in_force(edited_shop: Path) -> None:
    (edited_shop / "contracts" / "segments" / "young.yaml").write_text("segment: young\nwho: {did: page_viewed}\n")
    with pytest.raises(CommandError, match="found young, which is not in force in space shop yet → `skep apply`"):
        explained(Settings.load(edited_shop, secret=SECRET), "young", "user_id:1", None)
    (edited_shop / "contracts" / "segments" / "young.yaml").unlink()


def test_by_any_name_of_a_person(settings: Settings) -> None:
    (by_id,) = explained(settings, "lapsing", "user_id:1", None)
    assert by_id.member
    for who in (by_id.profile, by_id.profile[:10], "email:ANN@example.com ", "anonymous_id:d-pad"):
        (found,) = explained(settings, "lapsing", who, "shop")
        assert json_bytes(found) == json_bytes(by_id), who


def test_a_nested_segment_has_its_own_conditions(settings: Settings) -> None:
    (found,) = explained(settings, "lapsing", "user_id:1", None)
    consent, everything = found.why.of
    assert (consent.form, consent.holds, consent.decided, consent.default) == ("consent", True, True, False)
    nested, never = everything.of
    assert (nested.form, nested.says, nested.holds) == ("segment", "spenders", True)
    assert [part.says for part in nested.of] == ["spent at least 50"]
    assert (never.form, never.holds, never.of[0].value) == ("not", True, 0)


def test_json_is_a_tree(small_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKEP_SECRET", SECRET)
    done = CliRunner().invoke(app, ["--project", str(small_shop), "segments", "explain", "buyers", "user_id:2", "--json"])
    (found,) = json.loads(done.stdout)
    assert {name: found[name] for name in ("space", "segment", "member", "until")} == {
        "space": "shop", "segment": "buyers", "member": True, "until": "2026-03-12T11:00:00.000000Z",
    }  # fmt: skip
    (did,) = found["why"]["of"]
    assert (did["form"], did["holds"], did["value"], did["capped"], did["until"]) == ("did", True, 1, True, found["until"])


def test_steps_of_a_sequence_as_a_terminal_shows_them() -> None:
    behind = {"message_id": "m1", "time": "2026-01-01T10:00:00.000000Z"}
    steps = (
        Reason("step", "added", True, behind), Reason("step", "no removed", True), Reason("step", "no order for 1h", False, behind),
        Reason("awaited", "checkout within 1h", False, until="2026-01-01T11:00:00.000000Z"), Reason("step", "order", False),
    )  # fmt: skip
    assert [line[2:] for line in reason_lines(Reason("sequence", "of one cart", False, of=steps), 0)] == [
        "sequence of one cart", "✓ added: m1, 2026-01-01T10:00:00Z", "✓ no removed",
        "✗ no order for 1h: broken by m1, 2026-01-01T10:00:00Z",
        "✗ checkout within 1h: awaited, until 2026-01-01T11:00:00Z", "✗ order",
    ]  # fmt: skip


def test_consents_that_nobody_decided(settings: Settings) -> None:
    (decided,), (undecided,) = (find(settings, f"user_id:{number}", None) for number in (2, 4))
    assert (decided.consents, decided.consent_defaults) == ({"analytics": False, "marketing": True}, {})
    assert (undecided.consents, undecided.consent_defaults) == ({}, {"analytics": True, "marketing": False})


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", "✓✗"), ("ascii", "+-"), ("cp1252", "+-")])
def test_marks_as_the_terminal_can_show_them(encoding: str, marks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert console.mark(True) + console.mark(False) == marks


def test_a_beginning_of_several_ids(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skep.answers.profiles.ID_MIN", 2)
    with pytest.raises(CommandError, match=r"expected the id of one profile, found p_, with which p_.* and p_.* begin → write more of it"):
        find(settings, "p_", None)


def test_no_person_at_all(small_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKEP_SECRET", SECRET)
    done: Any = CliRunner().invoke(app, ["--project", str(small_shop), "segments", "explain", "buyers", "user_id:99", "--json"])
    assert (done.exit_code, done.stdout) == (1, "")


def test_the_events_behind_a_condition(settings: Settings) -> None:
    """Of a measure, of a decision, and of a trait, by the last identify call that wrote it; of what has none, none."""
    (found,) = explained(settings, "lapsing", "user_id:1", None)
    consent, everything = found.why.of
    assert [event["message_id"] for event in consent.events] == ["message-0003-of-the-small-shop"]
    nested, never = everything.of
    assert [(event["event"], event["message_id"][:12]) for event in nested.of[0].events] == [
        ("order_completed", "message-0003"), ("order_completed", "message-0040"),
    ]  # fmt: skip
    assert never.of[0].events == ()


def test_what_would_turn_it(settings: Settings) -> None:
    (found,) = explained(settings, "lapsing", "user_id:4", None)
    assert [turn.says for turn in found.turns] == [
        "one more order_completed with currency EUR and revenue 50 and consent to marketing granted"
    ]
    (ended,) = explained(settings, "buyers", "user_id:2", None)
    assert ended.turns == []


def test_at_another_time(settings: Settings) -> None:
    """Before something was done; when it has been forgotten; and before somebody was seen at all."""
    (past,) = explained(settings, "buyers", "user_id:2", None, "2026-03-05T10:59:59Z")
    assert (past.member, past.since, past.clock) == (False, None, "2026-03-05T10:59:59.000000Z")
    (then,) = explained(settings, "buyers", "user_id:2", None, "2026-03-05T12:00:00Z")
    assert (then.member, then.until) == (True, "2026-03-12T11:00:00.000000Z")
    (later,) = explained(settings, "buyers", "user_id:2", None, "2026-03-12T11:00:00Z")
    assert (later.member, later.until) == (False, None)
    with pytest.raises(CommandError, match="--at 2026-03-01: user_id:2 had not been seen by then"):
        explained(settings, "buyers", "user_id:2", None, "2026-03-01")
    with pytest.raises(CommandError, match="--at: expected a time such as 2026-07-01T00:00:00Z, found soon"):
        explained(settings, "buyers", "user_id:2", None, "soon")
