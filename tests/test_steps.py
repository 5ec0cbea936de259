"""Step ids are pinned: Bytewax keeps a step's recovery state under its id, and a renamed step silently loses it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource

from flows import activation, cdp

CDP = [
    "cdp.read",
    "cdp.validate",
    "cdp.archive",
    "cdp.space",
    "cdp.people",
    "cdp.committed",
]
ACTIVATION = ["activation.changes", "activation.deliver"]


NOTHING: Any = None
"""Stands for what a flow holds open: building a flow touches none of it."""


def ids(flow: Dataflow) -> list[str]:
    """The ids of the steps that a flow is written with, in order."""
    return [step.step_id for step in flow.substeps]


def test_step_ids_of_the_main_flow() -> None:
    runtime: Any = SimpleNamespace(reader=NOTHING, stop=NOTHING, validate=list, archive=NOTHING, space=NOTHING)
    assert ids(cdp.dataflow(runtime)) == CDP


def test_step_ids_of_activation() -> None:
    beside: Any = SimpleNamespace(changes=lambda: TestingSource([]), deliver=lambda: TestingSink([]))
    assert ids(activation.dataflow(beside)) == ACTIVATION
