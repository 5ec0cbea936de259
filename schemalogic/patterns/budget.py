"""How long somebody may think about a question, and about how much."""

from __future__ import annotations

from time import thread_time

SECONDS = 2.0
STATES = 2_000_000
_LOOK_EVERY = 256


class Undecided(Exception):  # noqa: N818 (an answer, not an error)
    """A question that could not be answered exactly; the text says why."""


class Budget:
    """Shared by all steps of one question: ``seconds`` of the processor's time for this thread from now on, so that what is
    answered does not depend on who else works, and ``states``: steps of automata, each about a microsecond."""

    def __init__(self, seconds: float = SECONDS, states: int = STATES) -> None:
        self._deadline = thread_time() + seconds
        self.states = states
        self._until_look = _LOOK_EVERY

    def spend(self, states: int = 1) -> None:
        """Take some off; `Undecided` if it is used up."""
        self.states -= states
        if self.states < 0:
            raise Undecided("too many states to look at")
        self._until_look -= states
        if self._until_look <= 0:
            self._until_look = _LOOK_EVERY
            if thread_time() > self._deadline:
                raise Undecided("out of time")
