"""The README of the library: its examples run, and it lists what is imported."""

from __future__ import annotations

import ast
import doctest
import re
import sys
from pathlib import Path

import schemalogic

ROOM = Path(schemalogic.__file__).parent
README = ROOM / "README.md"


def test_the_examples_run() -> None:
    """They print what is written behind them."""
    found = doctest.testfile(str(README), module_relative=False)
    assert found.failed == 0
    assert found.attempted >= 10


def test_the_dependencies_are_those_that_are_imported() -> None:
    """Nothing of the project that it lives in is among them."""
    nodes = [node for file in ROOM.rglob("*.py") for node in ast.walk(ast.parse(file.read_text()))]
    modules = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imported = {name.split(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"schemalogic"}
    listed = re.findall(r"^\| ([a-z-]+) \|", README.read_text().split("## Dependencies")[1], flags=re.MULTILINE)
    assert {name.replace("-", "_") for name in listed if name != "library"} == imported


def test_what_it_answers_is_there() -> None:
    """Every name in the table of questions exists."""
    named = re.findall(r"`([a-z]+)\.([A-Za-z_]+)`", README.read_text().split("## Examples")[0])
    assert len(named) >= 10
    for module, name in named:
        if name != "py":
            assert hasattr(__import__(f"schemalogic.{module}", fromlist=[name]), name), f"{module}.{name}"
