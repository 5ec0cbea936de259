"""Bad contracts, one file a theme: `--- path` and its text, then what is said of it. REWRITE=1 rewrites the answers."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from contracts import ContractErrors, load
from tests.contracts.project import GOOD

CASES = sorted((Path(__file__).parent / "errors").glob("*.txt"))
ANSWERS = "==== problems\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_problem_is_said_with_file_line_and_key(case: Path) -> None:
    text, _, expected = case.read_text().partition(ANSWERS)
    parts = re.split(r"^--- (.*)\n", text, flags=re.MULTILINE)[1:]
    with pytest.raises(ContractErrors) as raised:
        load({**GOOD, **dict(zip(parts[::2], parts[1::2], strict=True))})
    found = "".join(f"{problem}\n" for problem in raised.value.problems)
    if os.environ.get("REWRITE"):
        case.write_text(text + ANSWERS + found)
    else:
        assert found == expected
    assert raised.value.problems == sorted(raised.value.problems)
