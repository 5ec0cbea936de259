"""All rows of an answer, streamed: to stdout, or into a file that is there when it is whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from skep.cli.sql.forms import csv_header, csv_sql, json_sql
from skep.cli.sql.session import Answer
from skep.project.errors import CommandError
from skep.project.terminal import visible, visible_json
from state.files import replacing

ENDINGS = ("csv", "json", "jsonl", "parquet")


def csv_texts(answer: Answer) -> Iterator[str]:
    """CSV in UTF-8 as RFC 4180 has it, with line feeds."""
    header = csv_header(answer.columns) + "\n"
    for chunk in answer.chunks(csv_sql(answer.columns)):
        # A query that fails at once has written nothing.
        yield header + "\n".join([line for (line,) in chunk]) + "\n"
        header = ""
    yield header


def jsonl_texts(answer: Answer) -> Iterator[str]:
    """One JSON object a line."""
    for chunk in answer.chunks(json_sql(answer.columns)):
        yield "\n".join([line for (line,) in chunk]) + "\n"


def json_texts(answer: Answer) -> Iterator[str]:
    """One list, each row on a line of its own."""
    before = "["
    for chunk in answer.chunks(json_sql(answer.columns)):
        yield before + ",\n".join([line for (line,) in chunk])
        before = ",\n"
    yield "]\n" if before != "[" else "[]\n"


TEXTS: dict[str, Callable[[Answer], Iterator[str]]] = {"csv": csv_texts, "json": json_texts, "jsonl": jsonl_texts}


def write_stdout(answer: Answer, form: str) -> None:
    """The rows for programs, to the byte; on a terminal nothing of them controls it."""
    guard = visible if form == "csv" else visible_json
    watched = sys.stdout.isatty()
    for text in TEXTS[form](answer):
        put(guard(text) if watched else text)


def put(text: str) -> None:
    """Write what a terminal may see as it is; a closed pipe is `BrokenPipeError` at once."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def ending(path: Path) -> str:
    """The form that a file's name says."""
    form = path.suffix.lower().removeprefix(".")
    if form not in ENDINGS:
        hint = "a spreadsheet opens .csv" if form.startswith("xls") else "name the file so"
        raise CommandError(f"--out: expected a file that ends with .csv, .json, .jsonl or .parquet, found {path} → {hint}")
    return form


def write_file(answer: Answer, path: Path) -> None:
    """The rows as a file, in the form that its name says; it replaces an older one once it is whole."""
    form = ending(path)
    with whole(path, "--out") as part:
        if form == "parquet":
            answer.write_parquet(part)
            return
        with part.open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(TEXTS[form](answer))


@contextmanager
def whole(path: Path, option: str) -> Iterator[Path]:
    """A name beside a file under which it is written first; ``option`` names the file in errors."""
    try:
        with replacing(path) as part:
            # What is wrong with the folder is said here, in one way for all forms.
            part.touch()
            yield part
    except OSError as error:
        raise CommandError(f"{option}: expected a file that can be written, found {path}: {error.strerror} → name another") from error
