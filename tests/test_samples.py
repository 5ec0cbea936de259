"""Every command of the documentation does what its page says, in the order of the page; every example of SQL, YAML, JSON holds.

``REWRITE=1`` writes what the commands print into the pages, to be read before it is kept.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests import samples
from tests.samples import PAGES, ROOT, Block, Clone

NOT_RUN = {
    "skep backfill crm": "the demo has no such source; tests/skep/test_backfill.py runs it on drawn ones",
    "make test": "runs this",
    "make compiled": "takes a minute; `.ci/run` has it",
    "make check": "is not about what is documented; `.ci/run` has it",
    "skep run": "follows its sources until somebody stops it; tests/skep/test_run.py",
    "skep demo --live 50": "goes on until somebody stops it; tests/skep/test_demo.py",
    "curl -s localhost:3030/metrics": "asks a flow that runs; tests/skep/test_run.py",
    "sudo chown -R 10001 data": "gives files to another user",
}
"""What cannot be run here, and why. `test_house` checks that these commands exist."""

ENDS = {"skep contracts compat contracts/events/order_completed/1-0-0.json new.json": 1}
"""Exit codes of commands that say no."""

SMALL = {
    "CONTRIBUTING.md",
    "docs/contracts.md",
    "docs/destinations.md",
    "docs/lookups.md",
    "docs/operations.md",
    "docs/sources.md",
    "docs/upgrading.md",
}
"""Pages without samples: their commands are run on a tenth of the demo."""

SHORTER = {"skep demo --noise --out data/noise": " --people 200 --events 10000"}
"""What is run with fewer people, because it takes long."""

SHOWN = {"make run": re.compile(r"^[\d,]+ events in .*(?=\n\nsnapshot: )", re.DOTALL | re.MULTILINE)}
"""The part of a long output that the page shows."""

NO_SAMPLES = {"docs/contracts.md": ("contracts/events/order_completed/1-0-0-to-2-0-0.yaml:5: steps[2]",)}
"""Texts that no command before them prints, by how they begin: such words are in tests/contracts/errors."""

PICTURES = (" sources ", "data/  ", "contracts/\n", '{"kind":"identifier"', "namespace,value\n")
"""Blocks without a language that are no commands, by how they begin."""

RETAIL = "examples/online_retail/README.md"
"""Its commands want the file of UCI; tests/skep/test_online_retail.py runs them on it."""

names = [str(path.relative_to(ROOT)) for path in PAGES]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked from a server, which only Linux can do so")


def _runs(name: str) -> bool:
    """Whether a page has anything to run."""
    found = samples.blocks((ROOT / name).read_text())
    return name != RETAIL and any(samples.commands(block) or block.language in {"sql", "python"} for block in found)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder that the processes of a test run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


def made(folder: Path, **settings: str) -> tuple[Clone, str]:
    """A clone behind `make run`, and what that printed; whoever comes first makes it."""
    printed = folder.with_suffix(".json")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            done = samples.clone(folder).run("make run", **settings)
            assert done.returncode == 0, done.stderr
            printed.write_text(json.dumps(done.stdout))
    return Clone(folder), json.loads(printed.read_text())


@on_linux
@pytest.mark.parametrize("name", list(filter(_runs, names)))
def test_what_a_page_says_is_what_comes_out(name: str, shared: Path, tmp_path: Path) -> None:
    """Its commands in its order, each with its exit code, and its samples; its SQL, which answers something, and its Python."""
    whole, printed = made(shared / "small", PEOPLE="200", EVENTS="20000") if name in SMALL else made(shared / "shop")
    here = whole.copy(tmp_path / "skep")
    try:
        compare(name, here, printed)
    finally:
        shutil.rmtree(here.folder)


def compare(name: str, here: Clone, report: str) -> None:
    """A page with what comes of it in a clone that has printed ``report`` when it was made."""
    text = (ROOT / name).read_text()
    found: dict[Block, str] = {}
    wrong: list[str] = []
    for block, behind in pairwise([*samples.blocks(text), None]):
        place = f"{name}:{block.line}" if block else ""
        if block and block.file:
            (here.folder / block.file).write_text(block.text)
        if not block or block.file or block.language in {"text", "yaml", "json"}:
            continue
        if block.language:
            wrong += _answers(here, block, place)
            continue
        printed = [_run(here, command, report, place, wrong) for command in samples.commands(block)]
        if printed and behind and behind.language == "text":
            found[behind] = "\n\n".join(part.strip("\n") for part in printed if part.strip("\n"))
    if os.environ.get("REWRITE"):
        (ROOT / name).write_text(samples.rewritten(text, found))
    else:
        wrong += filter(None, (samples.difference(block.text, out, f"{name}:{block.line}") for block, out in found.items()))
    assert not wrong, "\n\n".join(wrong)


def _run(here: Clone, command: str, report: str, place: str, wrong: list[str]) -> str:
    """What a command prints, of which a page shows all or a part."""
    if command in NOT_RUN:
        return ""
    done = subprocess.CompletedProcess(command, 0, report, "") if command == "make run" else here.run(command + SHORTER.get(command, ""))
    if done.returncode != ENDS.get(command, 0) or "Traceback" in done.stderr:
        wrong.append(f"{place}: {command}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    part = SHOWN[command].search(done.stdout) if command in SHOWN else None
    return part[0] if part else done.stdout


def _answers(here: Clone, block: Block, place: str) -> list[str]:
    """What is wrong with the answer to an example of SQL or Python: an error, nothing, or a column of nothing."""
    if block.language == "python":
        done = subprocess.run([sys.executable, "-c", block.text], cwd=here.folder, capture_output=True, text=True, check=False)
        return [] if done.returncode == 0 and done.stdout.strip() else [f"{place}: {done.stdout}{done.stderr}"]
    done = here.run("skep sql --json -", stdin=block.text)
    rows = json.loads(done.stdout) if done.returncode == 0 else []
    empty = [name for name in (rows[0] if rows else ()) if not any(row[name] for row in rows)]
    return [] if rows and not empty else [f"{place}: {len(rows)} rows, nothing in {empty}: {done.stderr}{block.text}"]


@pytest.mark.parametrize("name", names)
def test_every_block_is_of_a_kind_that_is_tested(name: str) -> None:
    """A block is a command, SQL, Python, YAML or JSON, what a command before it prints, or a picture."""
    before = ""
    for block in samples.blocks((ROOT / name).read_text()):
        place = f"{name}:{block.line}"
        assert block.language in {"", "text", "sql", "python", "yaml", "json"}, place
        if block.language == "text" and before != "commands":
            assert block.text.startswith(NO_SAMPLES.get(name, ())), f"{place}: no command prints it"
        before = "commands" if samples.commands(block) else block.language
        assert before or block.file or block.text.startswith(PICTURES), f"{place}: neither commands nor a picture"
