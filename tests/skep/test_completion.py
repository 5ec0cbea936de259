"""What a shell offers while a command is typed, in the words of the scripts that typer makes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKEP = Path(sys.executable).with_name("skep")


def asked(*words: str, **environment: str) -> str:
    """The answer of the command to a shell, or to somebody."""
    done = subprocess.run([SKEP, *words], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


def fish(line: str) -> list[str]:
    answer = asked(_SKEP_COMPLETE="complete_fish", _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION="get-args")
    return [offer.split("\t")[0] for offer in answer.splitlines() if offer]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("skep quar", ["quarantine"]),
        ("skep quarantine re", ["replay"]),
        ("skep quality --source ", ["shop"]),
        ("skep plan --space sh", ["shop"]),
        ("skep catalog repeat", ["repeat_buyers"]),
        ("skep quarantine list --event order_com", ["order_completed"]),
        ("skep --project /nowhere plan --space ", []),
    ],
)
def test_commands_and_names_are_offered(typed: str, offered: list[str]) -> None:
    assert fish(typed) == offered


def test_bash_and_zsh_ask_in_their_own_way() -> None:
    assert asked(_SKEP_COMPLETE="complete_bash", COMP_WORDS="skep quar", COMP_CWORD="1").split() == ["quarantine"]
    assert '"quarantine"' in asked(_SKEP_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="skep quar")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(shell: str) -> None:
    assert f"complete_{shell}" in asked(_SKEP_COMPLETE=f"source_{shell}")


def test_bash_completes_with_its_script() -> None:
    script = "source <(_SKEP_COMPLETE=source_bash skep); COMP_WORDS=(skep rol); COMP_CWORD=1; _skep_completion skep"
    path = {**os.environ, "PATH": f"{SKEP.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"{script}; echo ${{COMPREPLY[@]}}"], cwd=ROOT, env=path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "rollback\n"


def test_the_version_is_said() -> None:
    assert asked("--version").startswith("skep 0.")
