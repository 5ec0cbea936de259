"""What a command asks of the flow that runs, because only the process that has the state open can do it.

A question is a file in ``data/asked``, which the one who asks holds locked while it waits. The flow takes its name away and writes the
answer behind it into the same file. So neither leaves anything behind, whoever is killed, and what nobody waits for is not done.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from pathlib import Path
from typing import IO, Any

import orjson

from skep.project.errors import CommandError
from skep.project.process import flow_is_running
from skep.project.settings import Settings

PATIENCE_S = 30.0
"""How long a flow may take to begin with what it is asked: it looks once a second, between two batches."""
_POLL_S = 0.02
_LARGEST = 1_000_000
"""Bytes of a question or an answer."""


def folder_of_questions(settings: Settings) -> Path:
    """Where questions lie."""
    return settings.data / "asked"


def ask(settings: Settings, question: dict[str, Any], patience_s: float = PATIENCE_S) -> dict[str, Any] | None:
    """The flow's answer; None if no flow runs. Raises `CommandError` if it refuses, is busy, or ends over it."""
    if not flow_is_running(settings):
        return None
    folder = folder_of_questions(settings)
    folder.mkdir(exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.json"
    with path.with_suffix(".new").open("x+b") as asked:
        try:
            fcntl.flock(asked, fcntl.LOCK_EX)
            # The flow may be another user's.
            os.fchmod(asked.fileno(), 0o666)
            asked.write(orjson.dumps(question) + b"\n")
            asked.flush()
            path.with_suffix(".new").rename(path)
            return _answer(settings, path, asked, patience_s)
        finally:
            for left in (path, path.with_suffix(".new")):
                left.unlink(missing_ok=True)


def _answer(settings: Settings, path: Path, asked: IO[bytes], patience_s: float) -> dict[str, Any] | None:
    until = time.monotonic() + patience_s
    while True:
        running = flow_is_running(settings)
        lines = os.pread(asked.fileno(), _LARGEST, 0).split(b"\n")
        if len(lines) > 2:
            answer: dict[str, Any] = orjson.loads(lines[1])
            if "error" in answer:
                raise CommandError(str(answer["error"]))
            return answer
        if not running or time.monotonic() > until:
            try:
                path.unlink()
            except FileNotFoundError:
                # The flow is at it, which may take as long as it takes.
                if not running:
                    raise CommandError("the flow ended before it was done with it → once more") from None
            else:
                if not running:
                    return None
                words = "it looks between two batches, and may be computing everybody anew"
                raise CommandError(f"the flow has not begun with it within {patience_s:.0f} s: {words} → once more, later")
        time.sleep(_POLL_S)


def taken(folder: Path) -> tuple[IO[bytes], dict[str, Any]] | None:
    """For the flow: a question that somebody waits for, and the file for its answer. What nobody waits for is removed."""
    for path in sorted(folder.glob("*.json")):
        try:
            asked = path.open("r+b")
            path.unlink()
        except FileNotFoundError:
            continue
        if _is_waited_for(asked):
            return asked, orjson.loads(asked.readline())
        asked.close()
    return None


def give(asked: IO[bytes], answer: dict[str, Any]) -> None:
    """For the flow: the answer to a question that was taken."""
    with asked:
        asked.seek(0, os.SEEK_END)
        asked.write(orjson.dumps(answer) + b"\n")


def _is_waited_for(asked: IO[bytes]) -> bool:
    try:
        fcntl.flock(asked, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
