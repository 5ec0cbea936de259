"""The main flow: events in, people, segments and changes out.

    python -m bytewax.run flows.cdp

Settings come from skep.yaml of the project folder (SKEP_PROJECT, else this one).
"""

from __future__ import annotations

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from connectors.sources.step import Read
from operators.archive import ArchiveSink
from operators.people.sink import Committed
from operators.people.step import people
from skep.runtime.ends import built, ended, plain
from skep.runtime.flow import Runtime


def dataflow(runtime: Runtime) -> Dataflow:
    """read → validate → archive and people."""
    flow = Dataflow("cdp")
    records = op.input("read", flow, plain(Read(runtime.reader, runtime.stop)))
    judged = op.flat_map_batch("validate", records, ended(runtime.validate))
    op.output("archive", judged, plain(ArchiveSink(runtime.archive)))
    by_space = op.key_on("space", judged, lambda batch: batch.space)
    committed = op.stateful_batch("people", by_space, built(people(runtime.space)))
    op.output("committed", committed, Committed())
    return flow


def flow() -> Dataflow:
    """What the bytewax command runs."""
    return dataflow(Runtime.start())
