"""The examples of the documentation are read by the code that they document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contracts import load
from contracts.definitions import Definitions
from contracts.identity import DEFAULT_RULES
from contracts.probabilistic import Probabilistic
from contracts.quality import CHECKS
from skep.settings import VARIABLES, Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "reference.md").read_text()
SHOP = {
    "events/order_completed/1-0-0.json": "{}",
    "events/product_viewed/1-0-0.json": "{}",
    "consent.yaml": "purposes: [{name: marketing, default: denied}]",
    "destinations/crm_file.yaml": "kind: file\npath: x",
}


def example(heading: str, language: str = "yaml") -> str:
    """The first block of a section."""
    section = REFERENCE.split(f"\n{heading}\n")[1].split("\n#")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)[0]


def read(path: str, text: str) -> Definitions:
    return load({**SHOP, path: text})


def test_the_examples_of_identity_are_the_defaults() -> None:
    """The whole file is what counts without one; of links by likeness, what has a default has it."""
    whole, likeness = re.findall(r"```yaml\n((?:version|probabilistic):.*?)```", (DOCS / "identity.md").read_text(), re.DOTALL)
    assert read("identity.yaml", whole).identity == DEFAULT_RULES
    shown = read("identity.yaml", likeness).identity.probabilistic
    assert shown is not None
    assert shown == Probabilistic(shown.block, shown.compare)


@pytest.mark.parametrize(
    ("heading", "path"),
    [
        ("### identity.yaml", "identity.yaml"),
        ("### consent.yaml", "consent.yaml"),
        ("### traits.yaml", "traits.yaml"),
        ("### segments/\\<name\\>.yaml", "segments/lapsing_vips.yaml"),
        ("### sources/\\<name\\>.yaml", "sources/till.yaml"),
        ("### destinations/\\<name\\>.yaml", "destinations/changes.yaml"),
    ],
)
def test_examples_of_contracts_are_read(heading: str, path: str) -> None:
    assert read(path, example(heading)).files[path]


def test_the_example_of_quality_is_read() -> None:
    """It names properties that the demo shop's contract declares."""
    order = (DOCS.parent / "contracts" / "events" / "order_completed" / "1-0-0.json").read_text()
    found = load({"events/order_completed/1-0-0.json": order, "quality.yaml": example("### quality.yaml")})
    assert {one.check for one in found.expectations} == set(CHECKS)
    assert {one.severity for one in found.expectations if one.check != "freshness"} == {"stop-source"}


def test_the_example_of_a_schema_is_read() -> None:
    text = example("### events/\\<event\\>/\\<MODEL-REVISION-ADDITION\\>.json", "json")
    assert read("events/order_completed/1-0-0.json", text).contracts["order_completed"][0].schema["required"] == ["order_id"]


def test_the_example_of_settings_is_read(tmp_path: Path) -> None:
    (tmp_path / "skep.yaml").write_text(example("## skep.yaml"))
    assert [source.kind for source in Settings.load(tmp_path).sources] == ["jsonl", "csv"]


def test_every_setting_is_described() -> None:
    for name in VARIABLES:
        assert f"`SKEP_{name.upper()}`" in REFERENCE.replace("`SKEP_SPACES` (with commas)", "`SKEP_SPACES`")


def test_every_operator_is_described() -> None:
    from contracts.predicates import OPERATORS  # noqa: PLC0415

    for op in OPERATORS:
        assert f"`{op.removeprefix('not_') if op != 'not_in' else op}" in REFERENCE
