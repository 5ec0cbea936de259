"""The documentation as what can be run: the commands of a page in its order, and the samples of what they print.

A `Clone` is a folder as `git clone` and `make` leave one, in which the lines of a page are run by bash as they are written. Its
``skep`` and ``python -m`` are forked by the server of `tests/processes.py`.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.patience import PATIENCE_S
from tests.processes import plain_environment, server

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path for folder in (".", "docs", "examples/online_retail") for path in (ROOT / folder).glob("*.md"))
PROGRAMS = {"skep", "mv", "python", "make", "sed", "source", "printf", "cp", "mkdir", "sudo", "curl", "docker", "pip"}
"""What a line of a command block may begin with; a block that begins otherwise shows something."""
UNTIL = "2026-07-01"
"""When the demo of the samples ends. Its two months are the dates of the samples; all other dates are those of the run."""
COLUMNS = "120"
"""How wide the terminal of the samples is."""
_PATIENCE_S = 5 * PATIENCE_S
"""How long a command may take: the demo is ten times what other tests run."""


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a page: its text goes from ``line``, counted from 0, to before ``end``. ``file`` is what the line before it
    says to save it as, such as ``with a JSON Patch in `fix.json`:``."""

    language: str
    text: str
    line: int
    end: int
    file: str | None = None


def blocks(text: str) -> Iterator[Block]:
    for found in re.finditer(r"^```([^\n`]*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        line = text.count("\n", 0, found.start()) + 1
        file = re.search(r"`([\w./]+\.\w+)`:\n\n$", text[: found.start()])
        yield Block(found[1], found[2], line, line + found[2].count("\n"), file[1] if file else None)


def commands(block: Block) -> tuple[str, ...]:
    """The lines of a block without a language that is made of commands; continued ones are joined. Others have none."""
    if block.language or block.text.split(maxsplit=1)[0] not in PROGRAMS:
        return ()
    return tuple(part.strip() for part in re.split(r"\n(?=\S)", block.text.strip()))


@dataclass(frozen=True, slots=True)
class Clone:
    """A folder in which everything that the documentation says can be typed."""

    folder: Path

    def run(self, command: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """What bash makes of a line."""
        path = f"{self.folder / '.venv' / 'bin'}:{os.environ['PATH']}"
        fixed = {"COLUMNS": COLUMNS, "UNTIL": UNTIL, "SKEP_USER": "ann@desk", "SKEP_COMPILED": "0", "MAKEFLAGS": ""}
        env = plain_environment(PATH=path, SERVER=server(), **fixed, **settings)
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=env, input=stdin, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
        return subprocess.CompletedProcess(command, done.returncode, self.without_place(done.stdout), self.without_place(done.stderr))

    def without_place(self, text: str) -> str:
        return text.replace(f"{self.folder}/", "")

    def copy(self, folder: Path) -> Clone:
        """Another one of the same state. Files that nobody writes twice are the same ones."""
        shutil.copytree(self.folder, folder, copy_function=_link_or_copy, symlinks=True)
        return Clone(folder)


def _link_or_copy(source: str, target: str) -> None:
    if source.endswith((".sst", ".log", ".parquet", ".duckdb", "/demo/events.jsonl")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def clone(folder: Path) -> Clone:
    """The repository's project with its Makefile, and an environment that is ready. Its code is the code under test."""
    folder.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "skep.yaml"):
        shutil.copy2(ROOT / name, folder)
    for name in ("contracts", "views", "docker", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.py", "__pycache__", "data"))
    for empty in [path for path in (folder / "contracts").rglob("*") if path.is_dir() and not any(path.rglob("*.*"))]:
        shutil.rmtree(empty, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "identity_scenarios", folder / "tests" / "identity_scenarios")
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text("")
    for name, job in (("skep", '"skep.cli", sys.argv[1:]'), ("python", "sys.argv[2], sys.argv[3:]")):
        (programs / name).write_text(_FORKED.format(python=sys.executable, job=job))
        (programs / name).chmod(0o755)
    (folder / ".venv" / ".ready").touch()
    return Clone(folder)


_FORKED = """\
#!{python} -SE
import json, os, socket, sys

module, words = {job}
job = {{"module": module, "words": words, "cwd": os.getcwd(), "env": dict(os.environ)}}
keeper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
keeper.connect("\\0" + job["env"].pop("SERVER"))
socket.send_fds(keeper, [json.dumps(job).encode()], [0, 1, 2])
keeper.recv(32)
sys.exit(int(keeper.recv(32)))
"""
"""A program that asks the server for a process and stays until that ends."""


def plain(text: str) -> str:
    """Without what another machine, or another day, says otherwise, and without the blanks that fit columns to it."""
    return "\n".join(re.sub(r"(?<=\S) {2,}", "  ", line).rstrip() for line in timeless(text.strip("\n")).split("\n"))


def timeless(text: str) -> str:
    """Without moments of the run, seconds, speeds, sizes, random ids and versions."""
    for pattern, instead in _OTHERWISE:
        text = re.sub(pattern, instead, text)
    return text


_OTHERWISE = (
    (r"\b20\d\d-(?!0[567]-)\d\d-\d\d(T[\d:.]+Z)?", "NOW"),
    (r"\b[\d,.]+ (s|ms|B|MB|events/s)\b", r"N \1"),
    (r"\bc_[0-9a-f]{32}\b", "c_ID"),
    (r"\bskep \d+\.\d+\.\d+\b", "skep VERSION"),
    (r"\b(a|no) flow is running, (compiled|interpreted)\b", r"\1 flow is running, FORM"),
)


def difference(sample: str, found: str, place: str) -> str:
    """What a person sees of it; nothing if the two say the same."""
    lines = difflib.unified_diff(plain(sample).split("\n"), plain(found).split("\n"), f"{place}, sample", "what is printed", lineterm="")
    return "\n".join(lines)


def rewritten(text: str, samples: dict[Block, str]) -> str:
    """A page with other samples. Lines that say the same as before stay, so that a diff shows what is new."""
    lines = text.split("\n")
    for block in sorted(samples, key=lambda block: -block.line):
        before = {timeless(line): line for line in block.text.split("\n")}
        found = [line.rstrip() for line in samples[block].strip("\n").split("\n")]
        lines[block.line : block.end] = [before.get(timeless(line), line) for line in found]
    return "\n".join(lines)
