"""Small projects in folders of their own, run as a person would run them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skep.project.apply import apply
from skep.project.settings import Settings
from tests.processes import Completed, completed, plain_environment
from tests.skep.test_cli import skep

Json = dict[str, Any]

SETTINGS = """\
spaces: [shop]
data: data
horizon: 30d
sources: [{{name: web, kind: jsonl, path: events.jsonl}}]
{more}
"""


def project(folder: Path, contracts: Json, lines: list[bytes], more: str = "") -> Path:
    """A project with these contracts (path → content, texts as they are) and one file of events."""
    folder.mkdir(parents=True)
    (folder / "skep.yaml").write_text(SETTINGS.format(more=more))
    for path, content in contracts.items():
        write_contract(folder, path, content)
    (folder / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def write_contract(folder: Path, path: str, content: Any) -> None:
    target = folder / "contracts" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content if isinstance(content, str) else json.dumps(content))


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The caller's, without its own settings of Skep."""
    return plain_environment(SKEP_PROJECT=str(folder), RUST_BACKTRACE="0", **more)


def flow(folder: Path, name: str = "flows.cdp", **more: str) -> Completed:
    """``python -m bytewax.run`` to the end of the input."""
    return completed("bytewax.run", name, env=environment(folder, **more))


def ran(folder: Path) -> None:
    """The flow once, successfully."""
    done = flow(folder)
    assert done.returncode == 0, done.stderr[-4000:]


def applied(folder: Path) -> None:
    """The files as they are, in force for the next flow."""
    settings = Settings.load(folder)
    apply(settings, settings.spaces)


def asked(folder: Path, *words: str) -> Any:
    """What a command prints as JSON."""
    done = skep(*words, "--json", project=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def dump(folder: Path) -> str:
    """The canonical dump."""
    done = skep("dump", project=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout
