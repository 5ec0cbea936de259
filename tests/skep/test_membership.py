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
