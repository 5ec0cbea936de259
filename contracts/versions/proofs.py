"""What the files of a project claim and cannot be seen by reading them: upcasts that keep their word, version numbers that
do not claim less than the change breaks. Slower than loading, so it is done once for each content of the files."""

from __future__ import annotations

from itertools import pairwise

from contracts.model.definitions import Contract, Definitions
from contracts.model.versions import version_text
from contracts.text.problems import Problem
from contracts.versions.bump import claims_less
from contracts.versions.upcast_check import check_upcasts

SEED = 1


def prove(definitions: Definitions, *, formats: bool = False) -> list[Problem]:
    """What is wrong, by file and line."""
    problems = check_upcasts(definitions, seed=SEED, formats=formats)
    for versions in definitions.contracts.values():
        for before, after in pairwise(versions):
            problems += _number(before, after, definitions, formats)
    return problems


def _number(before: Contract, after: Contract, definitions: Definitions, formats: bool) -> list[Problem]:
    """Whether the number of a version claims less than its change breaks."""
    claim = claims_less(before.version, after.version, before.schema, after.schema, definitions.types, formats=formats)
    if claim is None:
        return []
    return [Problem(after.file, 1, "", f"{claim.expected} after {version_text(before.version)}", claim.found, claim.hint)]
