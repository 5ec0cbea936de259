"""What a project's flow would do with something, tried beside it by its own steps; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.judge import Judge
from operators.sandbox import CACHE_BYTES, Sandbox
from skep.project.judging import tolerance
from skep.project.settings import Settings
from skep.project.spaces import bundles, shard_path
from state.overlay import Overlay


@contextmanager
def sandbox(
    settings: Settings,
    space: str,
    definitions: Definitions | None = None,
    *,
    counted: Callable[[], None] | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Iterator[Sandbox]:
    """A space as it was committed last. ``definitions`` can be put in force beside those that flows have kept; ``counted`` as in `Judge`.

    Raises `NoState`.
    """
    kept = bundles(settings)

    def load(digest: str) -> Definitions:
        return definitions if definitions is not None and digest == definitions.digest else kept(digest)

    overlay = Overlay(shard_path(settings, space))
    try:
        hasher = Hasher(settings.secret, space)
        yield Sandbox(
            space,
            overlay,
            hasher,
            load=load,
            judge=lambda digest: Judge(load(digest), counted=counted, **tolerance(settings)),
            cache_bytes=cache_bytes,
        )
    finally:
        overlay.close()
