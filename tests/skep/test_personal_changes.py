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
