"""The examples of the documentation are read by the code that they document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from contracts import load
from contracts.model.definitions import Definitions
from contracts.model.probabilistic import Probabilistic
from contracts.reading.identity import DEFAULT_RULES
from contracts.reading.quality import CHECKS
from skep.project.keys import LEAVES, SETTINGS
from skep.project.settings import Settings
from skep.tools.editor.files import DECLARED
from skep.tools.editor.schemas import modeline
from tests.samples import PAGES, ROOT, Block, blocks

DOCS = ROOT / "docs"
REFERENCE = (DOCS / "reference.md").read_text()
SHOP = {
    "events/order_completed/1-0-0.json": "{}",
    "events/product_viewed/1-0-0.json": "{}",
    "consent.yaml": "purposes: [{name: marketing, default: denied}, {name: analytics, default: granted}]",
    "destinations/crm_file.yaml": "kind: file\npath: x",
}


def example(heading: str, language: str = "yaml") -> str:
    """The first block of a section."""
    section = REFERENCE.split(f"\n{heading}\n")[1].split("\n#")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)[0]


BESIDE = {
    "destinations/crm.yaml": {
        "segments/lapsing_vips.yaml": "segment: lapsing_vips\nwho: {did: order_completed}",
        "events/identify/1-0-0.json": "{}",
    },
    "events/order_completed/1-0-0-to-2-0-0.yaml": {"events/order_completed/2-0-0.json": "{}"},
    "quality.yaml": {"events/order_completed/1-0-0.json": (ROOT / "contracts/events/order_completed/1-0-0.json").read_text()},
}
"""What a file needs beside the shop's: a model that it leads to, properties of which it expects something."""


def read(path: str, text: str) -> Definitions:
    return load({**SHOP, **BESIDE.get(path, {}), path: text})


def test_the_examples_of_identity_are_the_defaults() -> None:
    """The whole file is what counts without one; of links by likeness, what has a default has it."""
    whole, likeness = re.findall(r"```yaml\n((?:version|probabilistic):.*?)```", (DOCS / "identity.md").read_text(), re.DOTALL)
    assert read("identity.yaml", whole).identity == DEFAULT_RULES
    shown = read("identity.yaml", likeness).identity.probabilistic
    assert shown is not None
    assert shown == Probabilistic(shown.block, shown.compare)


EXAMPLES = [
    pytest.param(block, id=f"{path.stem}:{block.line}")
    for path in PAGES
    for block in blocks(path.read_text())
    if block.language in {"yaml", "json"} and not block.file
]
FILES = {
    "connection": "destinations/crm.yaml",
    "column": "lookups/product.yaml",
    "values": "lookups/product.yaml",
    "namespaces": "identity.yaml",
    "probabilistic": "identity.yaml",
    "purposes": "consent.yaml",
    "traits": "traits.yaml",
    "expectations": "quality.yaml",
    "tiers": "budget.yaml",
    "segment": "segments/<its name>.yaml",
    "format": "sources/till.yaml",
    "kind": "destinations/changes.yaml",
    "upcast": "events/order_completed/1-0-0-to-2-0-0.yaml",
}
"""In which file a key of an example stands."""
PARTS = {
    "confidence": ("segments/part.yaml", "segment: part\nwho: {trait: plan, eq: plus}\n"),
    "csv": ("sources/part.yaml", "format: csv\ncolumns: {userId: id, timestamp: {column: at, zone: UTC}}\nconstants: {type: identify}\n"),
}
"""Examples that are a part of a file, by their key, and the rest of it."""


@pytest.mark.parametrize("block", EXAMPLES)
def test_examples_are_read(block: Block, tmp_path: Path) -> None:
    """Each by what reads such a file; a comment for editors is what `skep schemas` prints."""
    keys = set(re.findall(r"^(\w+):", block.text, re.MULTILINE))
    if block.language == "json":
        assert "order_completed" in read("events/order_completed/1-0-0.json", block.text).contracts
    elif keys & {"sources", "spaces"}:
        (tmp_path / "skep.yaml").write_text(block.text)
        assert Settings.load(tmp_path).sources
    elif part := next((PARTS[key] for key in keys if key in PARTS and not keys & set(FILES)), None):
        assert read(part[0], part[1] + block.text).files[part[0]]
    elif keys:
        path = next(path for key, path in FILES.items() if key in keys)
        if named := re.match(r"segment: (\w+)", block.text):
            path = f"segments/{named[1]}.yaml"
        assert read(path, block.text).files[path]
    else:
        assert block.text == modeline(PurePosixPath("contracts/segments/lapsing_vips.yaml"))


def test_the_example_of_quality_is_read() -> None:
    """All checks are in it."""
    found = read("quality.yaml", example("### quality.yaml"))
    assert {one.check for one in found.expectations} == set(CHECKS)
    assert {one.severity for one in found.expectations if one.check != "freshness"} == {"stop-source"}


def test_the_example_of_settings_is_read(tmp_path: Path) -> None:
    (tmp_path / "skep.yaml").write_text(example("## skep.yaml"))
    assert [source.kind for source in Settings.load(tmp_path).sources] == ["jsonl", "csv"]


SAID = {"spaces": "[shop]", "registry": "none", "secret": "a known text"}
"""Defaults of settings that the reference has words for."""


def test_every_setting_is_described_with_its_default() -> None:
    """The table has a row for each key that is declared, and for each variable."""
    rows = {row[1].removesuffix(" (with commas)"): row for row in re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|", REFERENCE, re.MULTILINE)}
    for name, leaf in LEAVES.items():
        key, _, default = rows[f"`SKEP_{name.upper()}`"]
        assert key == (f"`{leaf.outer}: {{{leaf.key.name}}}`" if leaf.outer else f"`{name}`")
        shown = str(leaf.key.default).lower() if isinstance(leaf.key.default, bool) else str(leaf.key.default)
        assert default.strip("`") == SAID.get(name, shown), name
    assert "`SKEP_SOURCE_PATH`" in rows


WHERE_DESCRIBED = {
    "skep.yaml": ["reference.md ## skep.yaml"],
    "identity": ["identity.md"],
    "consent": ["reference.md ### consent.yaml"],
    "source": ["sources.md", "reference.md ### sources/"],
    "destination": ["destinations.md"],
    "destination_kind": ["destinations.md"],
    "quality": ["reference.md ### quality.yaml"],
    "lookup": ["lookups.md"],
    "budget": ["reference.md ### budget.yaml"],
    "segment": ["reference.md ### segments/"],
    "segment_tests": ["segments.md ## Tests of segments"],
    "traits": ["reference.md ### traits.yaml"],
    "accounts": ["reference.md ### accounts.yaml", "reference.md ### traits.yaml"],
    "upcast": ["contracts.md ## Upcasts"],
}
"""By file the pages, or a section of one, that have all its keys."""


def section(place: str) -> str:
    """A page, or of it the section whose heading begins so, with what stands below it."""
    page, _, heading = place.partition(" ")
    text = (DOCS / page).read_text()
    if not heading:
        return text
    level = len(heading.split()[0])
    return re.split(rf"^#{{1,{level}}} ", text.split(f"\n{heading}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("file", [*DECLARED, "skep.yaml"])
def test_every_key_of_a_file_is_described(file: str) -> None:
    """What is declared stands, as a key of YAML, where the file is described."""
    said = "\n".join(map(section, WHERE_DESCRIBED[file]))
    fields = {**DECLARED, "skep.yaml": SETTINGS}[file]
    assert [name for name in _names(fields.schema({})) if not re.search(rf"(?<!\w){name}[`:}}]", said)] == []


def _names(schema: Any) -> Iterator[str]:
    """All keys that a schema of an editor names."""
    for key, part in schema.items() if isinstance(schema, dict) else ():
        if key == "properties":
            yield from (name for name in part if name.isidentifier())
        yield from _names(part)
    for part in schema if isinstance(schema, list) else ():
        yield from _names(part)


def test_every_operator_is_described() -> None:
    from contracts.language.operators import OPERATORS  # noqa: PLC0415

    for op in OPERATORS:
        assert f"`{op.removeprefix('not_') if op != 'not_in' else op}" in REFERENCE
