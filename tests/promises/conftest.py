"""What several promises are tested with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import load
from tests.engine import Engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    """One engine for the scenarios of a test, to be emptied before each."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "shard", load({}))
        yield engine
        engine.shard.close()
