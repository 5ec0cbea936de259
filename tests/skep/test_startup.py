"""What a command imports before its work: nothing that is large and that only others need. No time is measured here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import typer
from typer.core import TyperGroup

from skep.cli.main import app
from skep.cli.sections import SECTIONS

ROOT = Path(__file__).resolve().parent.parent.parent
LARGE = frozenset(
    {
        "asyncio", "bytewax", "confluent_kafka", "duckdb", "httpx", "jinja2", "jsonpatch", "jsonschema", "phonenumbers",
        "prometheus_client", "pyarrow", "pydantic", "pygments", "rapidfuzz", "splink", "structlog",
    }
)  # fmt: skip
STATE = frozenset({"jsonschema_rs", "msgspec", "rocksdict"})
"""What reads the living state; not large, and yet nothing of it belongs to a start."""
_REPORT = """
import runpy, sys, orjson
sys.argv = ["skep", *sys.argv[1:]]
try:
    runpy.run_module("skep.cli", run_name="__main__", alter_sys=True)
except SystemExit:
    pass
sys.stderr.write("\\n" + orjson.dumps(sorted({name.split(".")[0] for name in sys.modules})).decode())
"""


def imported(*words: str) -> set[str]:
    """The packages that a command has imported when it ends."""
    done = subprocess.run([sys.executable, "-c", _REPORT, *words], cwd=ROOT, capture_output=True, check=True)
    return set(orjson.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("words", ["--help", "quarantine --help", "contracts infer --help", "nosuch"])
def test_nothing_large_is_imported_to_say_what_there_is(words: str) -> None:
    assert imported(*words.split()) & (LARGE | STATE | {"ruamel"}) == set()


@pytest.mark.parametrize(
    "words", ["changes", "profile show user_id:1", "quarantine list", "status", "identity explain user_id:1 user_id:2"]
)
def test_what_reads_the_living_state_imports_no_other_large_thing(words: str) -> None:
    """The command lines end where the settings are read; all that the work of the command needs has been imported by then."""
    assert imported("--project", "/nowhere", *words.split()) & LARGE == set()


def test_the_help_of_every_group_fits_80_columns_and_lists_all_commands() -> None:
    """No command's line is cut, and none is left out of the sections."""
    main = typer.main.get_group(app)
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(main.commands)
    for group in [main, *(one for one in main.commands.values() if isinstance(one, TyperGroup))]:
        room = 80 - 6 - max(map(len, group.commands))
        texts = {name: command.get_short_help_str(1_000) for name, command in group.commands.items()}
        assert {name: text for name, text in texts.items() if len(text) > room} == {}
