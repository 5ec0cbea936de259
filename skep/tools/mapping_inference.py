"""`skep sources infer`: a mapping drafted from a file, and what its first rows are as events."""

from __future__ import annotations

import json
import re
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

import contracts
from connectors.errors import SourceError
from connectors.sources.csv_guess import SAMPLE_BYTES, guess_form, guess_signs, read_sample
from connectors.sources.csv_rows import CsvForm, Unreadable
from connectors.sources.lines import Lines
from connectors.sources.numerals import Numerals
from connectors.sources.parquet_rows import ParquetRows
from connectors.sources.rows import Rows, open_bytes
from contracts.model.batches import Event
from operators.judge import Judge
from skep.project.errors import CommandError
from skep.project.settings import Settings, load_definitions
from skep.tools.mapping_guess import Column, columns_of, guess_fields

SHOWN = 10
"""Rows that are shown as events."""
_PLAIN = re.compile(r"[A-Za-z_][\w .-]*(?<! )", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a file seems to be: the text of its mapping (``""`` for JSON lines), and its first records."""

    kind: str
    mapping: str
    records: list[bytes]


def infer(path: Path) -> Inferred:
    """The draft of a file's mapping; CommandError if there is nothing to be seen in it."""
    if not path.is_file():
        raise CommandError(f"{path}: expected a file, found none → name one file of the source")
    try:
        sample = _sample(path)
        if not sample.strip():
            raise CommandError(f"{path}: expected rows, found nothing → name a file of the source that has some")
        if sample.startswith(b"PAR1"):
            return _of_parquet(path)
        if sample.lstrip().startswith((b"[{", b"[\n", b"[\r\n")):
            raise CommandError(f"{path}: expected CSV, Parquet or JSON lines, found a JSON array → write each of its objects on a line")
        if sample.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return Inferred("jsonl", "", _taken(Lines(path, skip=0, follow=False)))
        return _of_csv(path, sample)
    except SourceError as error:
        raise CommandError(str(error)) from error
    except (OSError, EOFError, zlib.error) as error:
        raise CommandError(f"{path}: expected a file that can be read: {getattr(error, 'strerror', None) or error}") from error


@dataclass(frozen=True, slots=True)
class Tried:
    """A record, why it would be refused (``""``: it would not), and the name of its event if that has no contract."""

    record: bytes
    refused: str
    unknown: str

    @property
    def text(self) -> str:
        """The record as it can be read."""
        return self.record.decode("utf-8", "backslashreplace")


class TriedRow(msgspec.Struct, frozen=True):
    """A record as a text, and why it would be refused."""

    record: str
    refused: str | None


class Mapped(msgspec.Struct, frozen=True):
    """What a file seems to be, where its mapping was written (nowhere for JSON lines, which need none), and its first rows."""

    kind: str
    mapping: str | None
    events: list[TriedRow]


def tried(records: list[bytes], settings: Settings) -> list[Tried]:
    """What would become of records, by the project's contracts if they can be read."""
    try:
        definitions = load_definitions(settings)
    except contracts.ContractErrors:
        definitions = contracts.load({}, unknown_events_ok=True)
    judge = Judge(definitions, unknown_ok=True, future_skew_us=settings.future_skew_us, max_event_bytes=settings.max_event_bytes)
    found = []
    for number, raw in enumerate(records, 1):
        outcome = judge.judge(raw, number, time.time_ns() // 1000)
        if isinstance(outcome, Event):
            unknown = outcome.type == "track" and not outcome.contract
            found.append(Tried(raw, "", outcome.name if unknown and settings.unknown_events == "quarantine" else ""))
        else:
            found.append(Tried(raw, f"{outcome.reason}: {outcome.detail}", ""))
    return found


def _sample(path: Path) -> bytes:
    with open_bytes(path) as stream:
        sample = stream.read(SAMPLE_BYTES)
    # A last row that is cut is none.
    return sample if len(sample) < SAMPLE_BYTES else sample[: sample.rfind(b"\n") + 1] or sample


def _taken(source: Rows | Lines) -> list[bytes]:
    records = source.take(SHOWN)
    source.close()
    return records


def _of_csv(path: Path, sample: bytes) -> Inferred:
    form = guess_form(path, sample)
    columns, rows = read_sample(path, sample, form)
    found = columns_of(columns, rows)
    if not any(column.values for column in found):
        if columns and not rows:
            raise CommandError(f"{path}: expected rows, found a line of names alone → name a file of the source that has some")
        raise CommandError(
            f"{path}: expected columns, found none with a name of its own and values → say `header:` in a mapping of your own"
        )
    signs = guess_signs([column.texts for column in found])
    return _drafted(path, "csv", _form(form, *signs), found, Numerals(*signs))


def _of_parquet(path: Path) -> Inferred:
    reader = ParquetRows(path, {})
    rows = [row for row in reader.block() if not isinstance(row, Unreadable)]
    found = columns_of(reader.columns, rows)
    if not found:
        raise CommandError(f"{path}: expected columns, found none with a name of its own → name a file of the source that has some")
    return _drafted(path, "parquet", {}, found, Numerals())


def _drafted(path: Path, kind: str, form: dict[str, Any], columns: list[Column], numerals: Numerals) -> Inferred:
    fields, constants = guess_fields(path, columns, numerals)
    lines = [f"# Drafted from {path.name} by `skep sources infer`: read it, it is guessed.", f"format: {kind}"]
    lines += [f"csv: {_flow(form)}"] if form else []
    if not any(field.field == "timestamp" for field in fields):
        lines.append("# No column looks like the time at which it happened: an event needs `timestamp`.")
    if not any(field.field in {"userId", "anonymousId", "traits.email", "traits.phone"} for field in fields):
        lines.append("# No column looks like a person or a device: without userId, anonymousId or traits.email events belong to nobody.")
    lines.append("columns:")
    for field in fields:
        lines.append(f"  {_scalar(field.field)}: {_flow(field.how)}" + (f"  # {field.why}" if field.why else ""))
    lines.append(f"constants: {_flow(constants)}")
    text = "\n".join(lines) + "\n"
    spec = contracts.load({"sources/draft.yaml": text}, unknown_events_ok=True).mappings["draft"].spec
    return Inferred(kind, text, _taken(Rows(path, kind, spec, skip=0)))


def _form(form: CsvForm, decimal: str, thousands: str) -> dict[str, Any]:
    """What is not as it is without being said."""
    usual = CsvForm()
    said = {key: getattr(form, key) for key in ("delimiter", "encoding", "quote", "header") if getattr(form, key) != getattr(usual, key)}
    return said | ({"decimal": decimal} if decimal != "." else {}) | ({"thousands": thousands} if thousands else {})


def _flow(value: Any) -> str:
    """YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)
