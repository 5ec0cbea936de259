"""Personal values leave the shard as hashes also in change events."""

from __future__ import annotations

import json
from pathlib import Path

from tests.skep.test_run import skep


def _project(folder: Path, personal: str) -> Path:
    contracts = folder / "contracts"
    contracts.mkdir(parents=True)
    source = "sources: [{name: e, kind: jsonl, path: e.jsonl}]\n"
    (folder / "skep.yaml").write_text(f"spaces: [shop]\n{source}snapshot: {{personal: {personal}}}\n")
    (contracts / "traits.yaml").write_text("traits: [{name: email, emit: true}, {name: plan, emit: true}]\n")
    event = {
        "type": "identify",
        "userId": "7",
        "messageId": "m",
        "timestamp": "2026-01-01T10:00:00Z",
        "traits": {"email": "A@b.com ", "plan": "pro"},
    }
    (folder / "e.jsonl").write_text(json.dumps(event) + "\n")
    return folder


def _updated(project: Path) -> dict[str, str]:
    assert skep("run", "--once", project=project).returncode == 0
    changes = map(json.loads, skep("changes", "--json", project=project).stdout.splitlines())
    return {change["trait"]: change["value"] for change in changes if change["type"] == "profile.updated"}


def test_an_emitted_personal_trait_is_hashed(tmp_path: Path) -> None:
    updated = _updated(_project(tmp_path / "p", "hash"))
    assert updated["plan"] == "pro"
    assert updated["email"].startswith("h_")
    assert "A@b.com" not in skep("changes", "--json", project=tmp_path / "p").stdout


def test_a_setting_asks_for_the_value(tmp_path: Path) -> None:
    assert _updated(_project(tmp_path / "p", "clear"))["email"] == "A@b.com "


def test_what_is_measured_of_the_context_is_hashed_where_it_is_personal(tmp_path: Path) -> None:
    """An e-mail address stands there, and is a personal namespace's; a campaign is nobody's. The snapshot says the same."""
    project = _project(tmp_path / "p", "hash")
    measured = {"campaign": "context.campaign.source", "mail": "context.traits.email", "around": "context.traits"}
    traits = [{"name": name, "last": path, "did": "order_completed", "emit": True} for name, path in measured.items()]
    (project / "contracts" / "traits.yaml").write_text(json.dumps({"traits": traits}))
    with (project / "skep.yaml").open("a") as settings:
        settings.write("unknown_events: accept\n")
    context = {"campaign": {"source": "ads"}, "traits": {"email": "A@b.com"}}
    event = {"type": "track", "event": "Order Completed", "userId": "7", "messageId": "m", "timestamp": "2026-01-01T10:00:00Z"}
    (project / "e.jsonl").write_text(json.dumps({**event, "context": context}) + "\n")
    updated = _updated(project)
    assert updated["campaign"] == "ads"
    assert [updated[name][:2] for name in ("mail", "around")] == ["h_", "h_"]
    shown = skep("sql", "select traits::varchar as said from profiles", "--json", project=project).stdout
    assert updated["mail"] in shown
    assert "A@b.com" not in shown
