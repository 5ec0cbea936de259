"""What the commands print for people, at 80 and 120 columns: golden files, which REWRITE=1 rewrites."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from skep.cli.main import app
from tests.skep.small_shop import SECRET

SCREENS = Path(__file__).parent / "screens"
WIDTHS = (80, 120)
COMMANDS = {
    "status": "status",
    "sources": "sources",
    "audit": "audit",
    "catalog": "catalog",
    "catalog_word": "catalog paid",
    "quality": "quality",
    "quarantine_list": "quarantine list",
    "quarantine_each": "quarantine list --each",
    "quarantine_dry_run": "quarantine replay --dry-run",
    "quarantine_show": "quarantine show q-3",
    "profile_show": "profile show user_id:2",
    "profile_timeline": "profile timeline user_id:1 --limit 20",
    "profile_show_undecided": "profile show user_id:4",
    "identity_show": "identity show user_id:1",
    "identity_history": "identity history user_id:1",
    "identity_explain": "identity explain user_id:1 anonymous_id:d-pad",
    "identity_explain_apart": "identity explain user_id:3 email:ann@example.com",
    "identity_doctor": "identity doctor",
    "identity_split": "identity split user_id:1 --keep user_id:1 --why apart --dry-run",
    "segments_explain": "segments explain lapsing user_id:1",
    "segments_explain_not": "segments explain buyers user_id:3",
    "segments_explain_default": "segments explain lapsing user_id:4",
    "plan_nothing": "plan",
}
STORED = {"state_compact": "state compact", "state_info": "state info", "state_verify": "state verify"}
KEPT = {"state_checkpoint": "state checkpoint kept-{}", "state_restore": "state restore kept-{} --overwrite"}
EDITED = {
    "plan": "plan",
    "contracts_impact": "contracts impact contracts/events/order_completed/1-0-0.json contracts/events/order_completed/2-0-0.json",
}


def screen(project: Path, width: int, command: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is printed, without the paths, sizes and moments of this machine."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("SKEP_SECRET", SECRET)
    done = CliRunner().invoke(app, ["--project", str(project), *shlex.split(command)])
    assert done.exit_code == 0, (done.output, done.exception)
    said = done.stdout.replace(str(project), "/shop")
    said = re.sub(r"[\d.]+ MB", "3.5 MB", said)
    said = re.sub(r"\d+\.\d s\b", "0.5 s", said)
    return re.sub(r"(?!2026-03)20\d\d-\d\d-\d\dT[\d:.]+Z", "NOW", said)


def golden(name: str, found: dict[int, str]) -> None:
    """Compare with the file of this name, or write it."""
    text = "".join(f"──── {width} columns\n{said}" for width, said in found.items())
    path = SCREENS / f"{name}.txt"
    if os.environ.get("REWRITE"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_screens(name: str, small_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden(name, {width: screen(small_shop, width, COMMANDS[name], monkeypatch) for width in WIDTHS})


@pytest.mark.parametrize("name", EDITED)
def test_screens_of_edits(name: str, edited_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden(name, {width: screen(edited_shop, width, EDITED[name], monkeypatch) for width in WIDTHS})


def test_screens_of_what_is_stored(small_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a copy, which is compacted; its sizes are this machine's."""
    shop = shutil.copytree(small_shop, tmp_path / "shop")
    for name, command in STORED.items():
        found = {width: re.sub(r"[\d,]+ B\b", "300 B", screen(shop, width, command, monkeypatch)) for width in WIDTHS}
        golden(name, found)
    for name, command in KEPT.items():
        golden(name, {width: screen(shop, width, command.format(width), monkeypatch) for width in WIDTHS})


@pytest.mark.parametrize("path", sorted(SCREENS.glob("*.txt")), ids=lambda path: path.stem)
def test_tables_are_no_wider_than_the_screen(path: Path) -> None:
    """Sentences may be, which a terminal breaks itself: they have no two blanks inside."""
    for part in path.read_text().split("──── ")[1:]:
        width, lines = int(part.split(maxsplit=1)[0]), part.splitlines()[1:]
        assert [line for line in lines if cell_len(line) > width and re.search(r"\S  +\S", line) and not re.search("·|\\^", line)] == []
