"""What the files of a project claim and cannot be seen by reading them: upcasts that keep their word, version numbers that
do not claim less than the change breaks. Slower than loading, so it is done once for each content of the files."""

from __future__ import annotations

from contracts.definitions import Definitions
from contracts.problems import Problem
from contracts.upcast_check import check_upcasts

SEED = 1


def prove(definitions: Definitions, *, formats: bool = False) -> list[Problem]:
    """What is wrong, by file and line."""
    return check_upcasts(definitions, seed=SEED, formats=formats)
