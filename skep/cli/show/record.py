"""One record for people: why it was refused, what is wrong with it underlined, and what a replay would say now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import unified_diff

import msgspec
from rich.text import Text

from contracts.text.times import iso
from operators.view.quarantine import Quarantined
from skep.answers.quarantine.examination import Examination, Verdict
from skep.answers.quarantine.faults import PARSED_MAX, Fault, broken_text
from skep.cli.console import out, styled, table
from skep.cli.layout import prose
from skep.cli.show.written import LINES_MAX, WHOLE_MAX, Written, beginning, pretty
from skep.project.terminal import cut, visible_line

_WRONG, _WHERE = "red", "dim"
COMPARED_MAX = 1_000
"""Lines of a record that are compared with those of its edit, from the first difference on."""


def show(found: Examination) -> None:
    """Print everything that is known of one record."""
    row = found.row
    table(("", prose("")), _facts(found))
    out.print()
    for line in record_lines(row, found.faults):
        out.print(line)
    for line in _edited(row):
        out.print(line)
    out.print()
    out.print(f"now: {_said(found.now, f'skep quarantine replay {row.id}')}")
    if found.broken:
        out.print("with contracts/ as it is: it cannot be judged, `skep check` says what is wrong")
    elif found.files is not None:
        out.print(f"with contracts/ as it is: {_said(found.files, f'skep quarantine replay {row.id} --apply')}")


def _said(verdict: Verdict, command: str) -> str:
    if verdict.passes:
        return f"it would pass{f' as {verdict.contract}' if verdict.contract else ''}: `{command}`"
    return f"it would be refused: {verdict.reason}: {verdict.detail}"


def _facts(found: Examination) -> list[tuple[str, object]]:
    one = found.record
    facts: list[tuple[str, object]] = [("id", one.id), ("space", one.space), ("reason", one.reason), ("detail", one.detail)]
    said = (("event", one.event), ("contract", found.file), ("schema_path", one.schema_path))
    facts += [(name, value) for name, value in said if value]
    places = ("partition", "position") if one.offset is msgspec.UNSET else ("partition", "offset")
    facts += [(name, getattr(one, name)) for name in (*places, "received_at", "quarantined_at", "cause")]
    return facts


def record_lines(row: Quarantined, found: list[Fault]) -> Iterator[Text]:
    """The record, or of a long one the part that counts, and below each line what is wrong in it."""
    written = _written(row.raw, found)
    broken = broken_text(row.raw) if row.reason == "undecodable" or written is None else None
    if broken is not None:
        around, column, why = broken
        yield styled(around)
        yield styled(f"{' ' * column}^ {why}", _WRONG)
    elif written is None:
        yield styled(beginning(row.raw))
    else:
        yield from _underlined(written, found)
    if len(row.raw) > WHOLE_MAX:
        yield styled(f"{len(row.raw):,} bytes: `skep quarantine show {row.id} --raw > FILE` writes them all", _WHERE)


def _written(raw: bytes, found: Iterable[Fault]) -> Written | None:
    """None of what is no JSON, or too long to be looked into."""
    if len(raw) > PARSED_MAX:
        return None
    with suppress(ValueError):
        return Written(raw, [fault.path for fault in found])
    return None


def _underlined(written: Written, found: Iterable[Fault]) -> Iterator[Text]:
    below: dict[int, list[tuple[int, int, Fault]]] = {}
    for fault in found:
        line, column, width = written.find(fault.path)
        below.setdefault(line, []).append((column, width, fault))
    for number, line_text in enumerate(written.lines):
        yield styled(line_text)
        for column, width, fault in below.get(number, ()):
            marked = styled(f"{' ' * column}{'^' * width} {cut(fault.message)}", _WRONG)
            yield marked.append(f"  ({visible_line(fault.where)})", _WHERE) if fault.where else marked


def _edited(row: Quarantined) -> Iterator[Text]:
    """Who has edited the record, and the difference to what was received."""
    if row.original is None:
        return
    yield styled("")
    for edit in row.edits:
        why = f": {edit.why}" if edit.why else ""
        yield styled(f"edited at {iso(edit.time_us)} by {edit.who or 'somebody'}{why} (entry {edit.entry} of the control partition)")
    yield from differences(row.original, row.raw)


def differences(before: bytes, after: bytes) -> Iterator[Text]:
    """What an edit changes, line by line, as far as it can be read."""
    if max(len(before), len(after)) > PARSED_MAX:
        yield styled(f"{len(before):,} bytes before, {len(after):,} after: too many to compare", _WHERE)
        return
    one, other = _apart(*(pretty(raw).split("\n") for raw in (before, after)))
    # Comparing takes time in proportion to the square of what is compared.
    compared = unified_diff(one[:COMPARED_MAX], other[:COMPARED_MAX], lineterm="", n=1)
    # Behind the two lines of its head and the numbers of the first part, which would not be those of the record.
    lines = ["…" if line.startswith("@@") else line for line in list(compared)[3:]]
    for line in lines[:LINES_MAX]:
        yield styled(cut(line), "red" if line.startswith("-") else "green" if line.startswith("+") else "")
    if max(len(lines) - LINES_MAX, len(one) - COMPARED_MAX, len(other) - COMPARED_MAX) > 0:
        yield styled("… and more", _WHERE)


def _apart(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """The lines from the first difference to the last, with one around them."""
    start = _alike(old, new)
    end = min(_alike(old[::-1], new[::-1]), min(len(old), len(new)) - start)
    one, other = (lines[max(0, start - 1) : len(lines) - max(0, end - 1)] for lines in (old, new))
    return one, other


def _alike(one: list[str], other: list[str]) -> int:
    return next((at for at, (was, now) in enumerate(zip(one, other, strict=False)) if was != now), min(len(one), len(other)))
