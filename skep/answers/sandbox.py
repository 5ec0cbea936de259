"""What a project's flow would do with something, tried beside it by its own steps; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.judge import Judge
from operators.sandbox import CACHE_BYTES, Sandbox
from skep.project.settings import Settings
from skep.project.spaces import bundles, shard_path
from state.overlay import Overlay


def judge_by(settings: Settings, definitions: Definitions, counted: Callable[[], None] | None = None) -> Judge:
    """What judges records as the project's flow does; ``counted`` is called for each stored event that is read again."""
    return Judge(
        definitions,
        unknown_ok=settings.unknown_events == "accept",
        future_skew_us=settings.future_skew_us,
        max_event_bytes=settings.max_event_bytes,
        formats=settings.formats == "assert",
        counted=counted,
    )


@contextmanager
def sandbox(
    settings: Settings,
    space: str,
    definitions: Definitions | None = None,
    *,
    counted: Callable[[], None] | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Iterator[Sandbox]:
    """A space as it was committed last. ``definitions`` can be put in force beside those that flows have kept. Raises `NoState`."""
    kept = bundles(settings)

    def load(digest: str) -> Definitions:
        return definitions if definitions is not None and digest == definitions.digest else kept(digest)

    overlay = Overlay(shard_path(settings, space))
    try:
        hasher = Hasher(settings.secret, space)
        yield Sandbox(
            space, overlay, hasher, load=load, judge=lambda digest: judge_by(settings, load(digest), counted), cache_bytes=cache_bytes
        )
    finally:
        overlay.close()
