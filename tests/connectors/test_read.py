"""The read and archive steps inside Bytewax."""

from __future__ import annotations

from pathlib import Path
from threading import Event as Flag
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, run_main

from connectors.sources.reader import Reader
from connectors.sources.source import SourceSpec
from connectors.sources.step import Read
from contracts.model.definitions import Definitions, IdentityRules
from operators.archive import ArchiveSink
from operators.validate import Validate
from state.archive import Archive


def run(tmp_path: Path, *, stopped: bool = False) -> list[Any]:
    out: list[Any] = []
    specs = [SourceSpec("web", "jsonl", tmp_path / "a.jsonl", None, "shop")]
    done = Archive(tmp_path / "archive", "shop", 1000, 10**9).positions
    stop = Flag()
    if stopped:
        stop.set()

    def reader() -> Reader:
        return Reader(specs, {}, lambda _space, part: done.get(part, 0), batch_size=2, follow=False, now_us=lambda: 10**15)

    definitions = Definitions("d", {}, IdentityRules(1, (), frozenset(), ()))
    judge = Validate({"d": definitions}.__getitem__, {"shop": [("d", {})]}, unknown_ok=True, future_skew_us=0, max_event_bytes=1000)
    flow = Dataflow("test")
    judged = op.flat_map_batch("validate", op.input("read", flow, Read(reader, stop)), judge)
    op.output("archive", judged, ArchiveSink(lambda space: Archive(tmp_path / "archive", space, 1000, 10**9)))
    op.output("out", judged, TestingSink(out))
    run_main(flow)
    return out


def test_the_flow_ends_with_its_input_and_goes_on_behind_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"type":"track","event":"x","timestamp":1}\n' * 3 + b"?\n")
    batches = run(tmp_path)
    assert [(batch.first, batch.last, len(batch.events), len(batch.refused), batch.finished) for batch in batches] == [
        (1, 2, 2, 0, False),
        (3, 4, 1, 1, True),
    ]
    assert Archive(tmp_path / "archive", "shop", 1000, 10**9).positions == {"web/a.jsonl": 4}
    with path.open("ab") as stream:
        stream.write(b"!\n")
    assert [(batch.first, batch.last) for batch in run(tmp_path)] == [(5, 5)]


def test_a_stopped_flow_ends_without_calling_anything_finished(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"1\n")
    assert run(tmp_path, stopped=True) == []
