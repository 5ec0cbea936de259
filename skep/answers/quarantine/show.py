"""One record for people: why it was refused, what is wrong with it underlined, and what a replay would say now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import unified_diff

from rich.text import Text

from contracts import ContractErrors
from contracts.model.batches import Event, Refused
from contracts.model.definitions import Definitions
from contracts.text.times import iso
from operators.epochs import spans
from operators.view.quarantine import Quarantined
from operators.view.space import View
from skep.answers.quarantine.causes import cause_id
from skep.answers.quarantine.faults import Fault, broken_text, contract_of, faults
from skep.answers.quarantine.trial import Trial
from skep.answers.quarantine.written import LINES_MAX, PARSED_MAX, WHOLE_MAX, Written, beginning, pretty
from skep.cli.console import cut, out, styled, table
from skep.cli.layout import prose
from skep.project.in_force import in_force, standing
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import bundles
from skep.project.terminal import visible_line
from state.errors import StateError

_WRONG, _WHERE = "red", "dim"
COMPARED_MAX = 1_000
"""Lines of a record that are compared with those of its edit, from the first difference on."""


def show(settings: Settings, space: str, view: View, row: Quarantined) -> None:
    """Print everything that is known of one record."""
    now = in_force(settings, space)
    readings = [now, *_earlier(settings, view, row)]
    table(("", prose("")), _facts(space, row, readings))
    out.print()
    for line in record_lines(row, readings, formats=settings.formats == "assert"):
        out.print(line)
    for line in _edited(row):
        out.print(line)
    out.print()
    out.print(f"now: {_said(Trial(settings, now).add(space, view, row), f'skep quarantine replay {row.id}')}")
    found = standing(settings)
    if found.problems:
        out.print("with contracts/ as it is: it cannot be judged, `skep check` says what is wrong")
    elif space in found.differs:
        said = Trial(settings, load_definitions(settings)).add(space, view, row)
        out.print(f"with contracts/ as it is: {_said(said, f'skep quarantine replay {row.id} --apply')}")


def _said(outcome: Event | Refused, command: str) -> str:
    if isinstance(outcome, Event):
        return f"it would pass{f' as {outcome.contract}' if outcome.contract else ''}: `{command}`"
    return f"it would be refused: {outcome.reason}: {outcome.detail}"


def _earlier(settings: Settings, view: View, row: Quarantined) -> Iterator[Definitions]:
    """Definitions that were in force: the newest, and those that judged the record first."""
    meta, load = view.meta, bundles(settings)
    digests = [meta.digest, *(digest for digest, _, _ in spans(meta.epochs, row.partition, row.position, row.position))]
    for digest in dict.fromkeys(digests):
        with suppress(StateError, ContractErrors):
            yield load(digest)


def _facts(space: str, row: Quarantined, readings: Iterable[Definitions]) -> list[tuple[str, object]]:
    contract = next((found for one in readings if (found := contract_of(one, row.contract)) is not None), None)
    facts: list[tuple[str, object]] = [("id", row.id), ("space", space), ("reason", row.reason), ("detail", row.detail)]
    if row.event:
        facts.append(("event", row.event))
    if contract is not None:
        facts.append(("contract", f"contracts/{contract.file}"))
    if row.schema_path:
        facts.append(("schema_path", row.schema_path))
    facts += [("partition", row.partition), ("position", row.position), ("received_at", _iso(row.received_at_us))]
    facts += [("quarantined_at", _iso(row.stored_at_us)), ("cause", cause_id(row))]
    return facts


def record_lines(row: Quarantined, readings: list[Definitions], *, formats: bool) -> Iterator[Text]:
    """The record, or of a long one the part that counts, and below each line what is wrong in it."""
    known = row.reason != "edited" and len(row.raw) <= PARSED_MAX
    found = faults(row, readings, formats=formats) if known else []
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


def _iso(time_us: int | None) -> str | None:
    return None if time_us is None else iso(time_us)
