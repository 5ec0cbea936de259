"""`skep contracts compat`: reads the two files and compares them in a process of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import UNSET

Mode = Literal["backward", "forward", "full"]

COMPATIBLE, INCOMPATIBLE, UNUSABLE, FAILED = 0, 1, 2, 3
BUDGET_S = 6.5
"""For the comparison itself."""
KILL_S = 8.0
"""Then its process is killed, whatever it does, and the answer is: undecided."""
_STACK_BYTES = 512 * 1024 * 1024
_EXPONENT_MAX = 4000
_EXAMPLE_BYTES_MAX = 64_000
"""A longer example is left out."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is asked: the two files, which way, and whether formats are asserted."""

    old: Path
    new: Path
    mode: Mode
    formats: bool = False


class Reason(msgspec.Struct):
    """Why not, in one way of comparing: where, the keyword (``undecided``: neither proven nor refuted) and what it says; ``example``: a
    document that is valid under one and not under the other."""

    path: str
    keyword: str
    old: Any
    new: Any
    mode: str
    example: Any = UNSET


class Report(msgspec.Struct):
    """Whether one schema can replace another, and why not."""

    compatible: bool
    mode: str
    reasons: list[Reason]


class Outcome(msgspec.Struct, frozen=True):
    """The exit code, the report, and for unusable input or a failure in its place the lines for stderr."""

    code: int
    report: Report | None = None
    errors: list[str] = []


def compare(asked: Comparison, kill_s: float = KILL_S) -> Outcome:
    """The outcome, in ``kill_s`` seconds at the latest."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(asked, writing)
    os.close(writing)
    try:
        text = _read(reading, time.monotonic() + kill_s)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    try:
        return msgspec.convert(json.loads(text), Outcome)
    except ValueError:
        # Nothing or half an answer: it was killed, by us or because it took all the memory or stack there is.
        return Outcome(INCOMPATIBLE, _report(asked.mode, [_undecided(mode) for mode in _ways(asked.mode)]))


def _read(reading: int, end: float) -> bytes:
    parts: list[bytes] = []
    while (left := end - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        part = os.read(reading, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return b""


def _answer(asked: Comparison, writing: int) -> None:
    """In the child: compare on a stack that recursion does not use up, write the outcome, and leave."""

    def run() -> None:
        try:
            outcome = compare_here(asked)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not look like an answer
            outcome = Outcome(FAILED, errors=[f"{type(error).__name__}: {error}"])
        with os.fdopen(writing, "wb") as file:
            file.write(json.dumps(msgspec.to_builtins(outcome)).encode())

    sys.setrecursionlimit(200_000)
    threading.stack_size(_STACK_BYTES)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    os._exit(0)


def compare_here(asked: Comparison) -> Outcome:
    """The outcome, computed in this process."""
    from schemalogic.compare import parse, unusable  # noqa: PLC0415 - only the child needs it

    sides, errors, too_deep = [], [], False
    for file in (asked.old, asked.new):
        try:
            schema, types = read_schema(file), read_types(file)
        except UnusableFile as error:
            errors.append(str(error))
            continue
        try:
            errors += [f"{file}: {'/'.join(map(str, path)) or 'the schema'}: {message}" for path, message in unusable(schema, types)]
        except (RecursionError, ValueError):
            # The library reads no deeper than 255 levels, and what it has not read is not compared.
            too_deep = True
        sides.append(parse(schema, types, formats=asked.formats))
    if errors:
        return Outcome(UNUSABLE, errors=errors)
    if too_deep:
        return Outcome(INCOMPATIBLE, _report(asked.mode, [_undecided(mode) for mode in _ways(asked.mode)]))
    return _judged(asked.mode, sides[0], sides[1])


def _judged(mode: Mode, old: Any, new: Any) -> Outcome:
    from schemalogic.compare import included  # noqa: PLC0415 - only the child needs it

    end = time.monotonic() + BUDGET_S
    reasons: list[Reason] = []
    for way in _ways(mode):
        left = end - time.monotonic()
        first, second = (old, new) if way == "backward" else (new, old)
        answer = included(first, second, left * 0.6 if mode == "full" and way == "backward" else left)
        reasons += [_row(one, way) for one in answer.reasons]
    return Outcome(INCOMPATIBLE if reasons else COMPATIBLE, _report(mode, reasons))


def _ways(mode: Mode) -> list[str]:
    return ["backward", "forward"] if mode == "full" else [mode]


def _report(mode: Mode, reasons: list[Reason]) -> Report:
    return Report(not reasons, mode, reasons)


def _undecided(way: str) -> Reason:
    return Reason("", "undecided", None, None, way)


def _row(reason: Any, way: str) -> Reason:
    old, new = (reason.old, reason.new) if way == "backward" else (reason.new, reason.old)
    shown = reason.has_example and len(json.dumps(reason.example)) <= _EXAMPLE_BYTES_MAX
    return Reason(reason.path, reason.keyword, old, new, way, reason.example if shown else UNSET)


class UnusableFile(Exception):  # noqa: N818 - said of a file
    """A file that is no JSON; the message names it."""


def read_schema(file: Path) -> Any:
    """The JSON value of a file; every key once, no NaN; a byte order mark is skipped."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UnusableFile(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UnusableFile(f"{file}: expected UTF-8, found the byte {error.object[error.start]:#04x} at {error.start}") from None
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise UnusableFile(f"{file}:{error.lineno}: expected JSON, found: {error.msg} in column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise UnusableFile(f"{file}: expected JSON, found: {error}") from None


def read_types(file: Path) -> dict[str, Any]:
    """The schemas in the nearest ``types`` folder above a file, by file stem; only those that the text may refer to."""
    folder = next((parent / "types" for parent in file.absolute().parents if (parent / "types").is_dir()), None)
    if folder is None:
        return {}
    files = {path.stem: path for path in sorted(folder.glob("*.json"))}
    found: dict[str, Any] = {}
    left = [file]
    while left:
        text = left.pop().read_text(encoding="utf-8", errors="replace")
        for stem, path in files.items():
            if stem not in found and f"{stem}.json" in text:
                found[stem] = read_schema(path)
                left.append(path)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} twice in one object")
        found[key] = value
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word}, which is no JSON")


def _number(text: str) -> Any:
    """A float; a whole number beyond all floats is kept exactly."""
    number = float(text)
    if number not in (float("inf"), float("-inf")):
        return number
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {text[:40]}") from None
    if exact.adjusted() > _EXPONENT_MAX:
        raise ValueError(f"the number {text[:40]}, which is too large")
    return int(exact)
