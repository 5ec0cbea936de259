"""What the documentation says is there: every command, link and dependency; and no test measures time."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from skep.cli.main import app
from tests import progress

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted(path for folder in (".", "docs", "examples/online_retail") for path in (ROOT / folder).glob("*.md"))


def _commands(text: str) -> Iterator[str]:
    """Lines of code blocks without a language, and inline code, that begin with a command; continued lines are joined."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        if language in {"", "sh", "bash"}:
            parts = [part.strip() for part in re.split(r"\n(?=\S)", block.strip())]
            yield from (part for part in parts if part.split()[:1] in (["skep"], ["python"], ["make"]))
    inline = re.findall(r"(?<!`)`((?:skep|python -m|make) [^`\n]+)`(?!`)", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    yield from (part.strip() for found in inline for part in re.split(r" ; | && ", found))


def _check_skep(words: list[str]) -> None:
    """Walk the words down the command tree; every option must exist there."""
    command: Any = typer.main.get_command(app)
    at, known = 0, set()
    while at < len(words):
        word = words[at]
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts) if name.startswith("-")} | {"--help"}
        if word.startswith("--"):
            assert word.split("=")[0] in options, f"no option {word} of {command.name}"
            flag = word == "--help" or any(getattr(one, "is_flag", False) and word in one.opts for one in command.params)
            at += 1 if flag or "=" in word else 2
            continue
        if hasattr(command, "commands"):
            for choice in word.split("|"):
                assert choice in command.commands, f"no command {word} of {command.name}"
            command = command.commands[word.split("|")[0]]
            known.add(word)
        at += 1
    assert known or all(word.startswith("--") for word in words), "no command is named"


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_the_docs_exist(doc: Path) -> None:
    """Every `skep …` has its command and options, every `python -m …` its module, every `make …` its target."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for line in _commands(doc.read_text()):
        words = shlex.split(line.split(" | ")[0].replace("[", "").replace("]", ""), comments=True)
        if words[0] == "skep" and len(words) > 1 and words[1] != "…":
            _check_skep(words[1:])
        elif words[0] == "python" and words[1] == "-m":
            modules = [word for word in words[2:4] if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", word)]
            assert all(find_spec(module) for module in modules), line
        elif words[0] == "make":
            assert "=" in words[1] or words[1] in targets, line


def _anchors(path: Path) -> set[str]:
    """What a link may name behind `#`, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_in_the_docs_lead_somewhere() -> None:
    """Relative links point at files and headings that are there."""
    broken = [
        f"{doc.relative_to(ROOT)}: {target}#{anchor}"
        for doc in DOCS
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", doc.read_text())
        if not (file := doc.parent / target if target else doc).exists() or (anchor and anchor not in _anchors(file))
    ]
    assert broken == []


def test_tables_in_the_docs_are_whole() -> None:
    """Lines of a table that no head stands above are shown as they are, bars and all."""
    torn = [
        f"{doc.relative_to(ROOT)}: {block.splitlines()[0]}"
        for doc in DOCS
        for block in re.findall(r"(?:^\|.*\n)+", doc.read_text(), flags=re.MULTILINE)
        if not re.match(r".*\n\|[-| :]+\|\n", block)
    ]
    assert torn == []


def _told(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every command and the first sentence or two of its help; the reports are macros, of which docs/analytics.md tells."""
    for name, one in sorted(getattr(command, "commands", {}).items()):
        if hasattr(one, "commands") and name != "report":
            yield from _told(one, (*path, name))
        else:
            yield " ".join(("skep", *path, name)), " ".join((one.help or "").split("\n\n")[0].split())


def test_the_reference_has_every_command_in_the_words_of_its_help() -> None:
    rows = re.findall(r"^\| \[`(skep [^`]+)`\]\([^)]+\) \| (.+) \|$", (ROOT / "docs/reference.md").read_text(), flags=re.MULTILINE)
    assert rows == list(_told(typer.main.get_command(app)))


def test_every_dependency_is_described() -> None:
    """A library of pyproject.toml has a row in docs/dependencies.md."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += [line for extra in project["project"]["optional-dependencies"].values() for line in extra]
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/dependencies.md").read_text(), flags=re.MULTILINE)
    described = {re.sub(r"[-_]", "", name.lower()) for row in rows for name in row.split(", ")}
    assert [line for line in wanted if re.sub(r"[-_]", "", re.split(r"[<>=]", line)[0].lower()) not in described] == []


CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "process_time_ns", "thread_time", "getrusage"}
"""What measures how long something took. `time.time` is what events are dated by."""


def test_no_test_measures_time() -> None:
    """A busy machine is no fault of the product: tests count; how long things take is what `perf/` is for."""
    may = {"tests/patience.py", "tests/progress.py"}
    measured = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if str(path.relative_to(ROOT)) not in may
        for node in ast.walk(ast.parse(path.read_text()))
        if (name := getattr(node, "attr", getattr(node, "id", None))) in CLOCKS
    ]
    assert measured == []


def test_the_promises_of_the_readme_are_those_that_the_tests_count() -> None:
    """`make test` says of each how many tests hold it: every place has some."""
    assert list(progress.PROMISES) == re.findall(r"^- \*\*(.+?)\.\*\* ", (ROOT / "README.md").read_text(), flags=re.MULTILINE)[:5]
    places = [place for places in progress.PROMISES.values() for place in places]
    assert [place for place in places if not (ROOT / place).exists()] == []
    assert len(set(places)) == len(places)
