"""Beside the main flow: destinations follow the change log, each with a cursor of its own.

python -m bytewax.run flows.activation
"""

from __future__ import annotations

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from skep.runtime.activation import Activation
from skep.runtime.ends import plain


def dataflow(activation: Activation) -> Dataflow:
    """changes → deliver."""
    flow = Dataflow("activation")
    changes = op.input("changes", flow, plain(activation.changes()))
    op.output("deliver", changes, plain(activation.deliver()))
    return flow


def flow() -> Dataflow:
    """What the bytewax command runs."""
    return dataflow(Activation.start())
