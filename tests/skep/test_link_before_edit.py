"""A manual link that waits for the next flow holds, also if that flow takes up edited contracts behind it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.promises.project import applied
from tests.skep.test_run import skep


def test_a_link_and_an_edit_wait_for_the_same_flow(tmp_path: Path) -> None:
    project = tmp_path / "p"
    segment = project / "contracts" / "segments" / "viewers.yaml"
    segment.parent.mkdir(parents=True)
    (project / "skep.yaml").write_text("sources: [{name: e, kind: jsonl, path: e.jsonl}]\n")
    segment.write_text("segment: viewers\nwho: {did: page_viewed, times: {gte: 2}}\n")
    view = {"type": "page", "userId": "7", "messageId": "m", "timestamp": "2026-01-01T10:00:00Z"}
    form = {"type": "identify", "traits": {"email": "new@example.com"}, "messageId": "n", "timestamp": "2026-01-01T10:00:00Z"}
    (project / "e.jsonl").write_text(f"{json.dumps(view)}\n{json.dumps(form)}\n")
    assert skep("run", "--once", project=project).returncode == 0
    assert skep("identity", "link", "user_id:7", "email:new@example.com", "--why", "told us", project=project).returncode == 0
    segment.write_text("segment: viewers\nwho: {did: page_viewed, times: {gte: 1}}\n")
    applied(project)
    assert skep("run", "--once", project=project).returncode == 0
    [profile] = json.loads(skep("profile", "show", "email:new@example.com", "--json", project=project).stdout)
    assert [pair[:2] for pair in profile["identifiers"]] == [["user_id", "7"], ["email", "new@example.com"]]
    assert profile["segments"] == ["viewers"]
    changes = [json.loads(line) for line in skep("changes", project=project).stdout.splitlines()]
    versions = [change["version"] for change in changes if change["profile"] == profile["id"]]
    assert versions == list(range(1, len(versions) + 1))
    assert [change["type"] for change in changes].count("identity.merged") == 1
    assert json.loads(skep("status", "--json", project=project).stdout)["people"] == 1
