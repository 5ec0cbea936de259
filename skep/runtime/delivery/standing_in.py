"""A command that does activation's work while none runs: the ledger has one writer, which is then this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from time import sleep

from connectors.destinations.wire import HttpWire
from skep.project.settings import Settings
from skep.project.spaces import ledger_path, open_view
from skep.runtime.delivery.courier import Courier
from state.errors import StateLocked
from state.ledger import Ledger

_TURN_S = 0.001


@contextmanager
def working(settings: Settings, space: str) -> Iterator[Callable[[], bool]]:
    """A function that does one turn of activation's work and says whether it did: not if activation runs."""
    view = open_view(settings, space)
    courier: Courier | None = None
    try:
        try:
            courier = Courier(settings, view, Ledger(ledger_path(settings, space)), HttpWire(), random=Random())
            courier.use(view.program.definitions)
        except StateLocked:
            courier = None

        def work() -> bool:
            if courier is None:
                return False
            view.refresh()
            courier.turn(follow=False)
            sleep(_TURN_S)
            return True

        yield work
    finally:
        if courier is not None:
            courier.close()
        view.close()
