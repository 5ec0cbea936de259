"""The small project whose screens and figures are tested."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.skep.small_shop import build


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once for all tests that only look at it."""
    return build(tmp_path_factory.mktemp("screens") / "shop")


@pytest.fixture(scope="session")
def edited_shop(small_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same project with other contracts, which are not applied."""
    folder = tmp_path_factory.mktemp("edited") / "shop"
    shutil.copytree(small_shop, folder)
    order = json.loads((folder / "contracts/events/order_completed/1-0-0.json").read_text())
    order["properties"]["revenue"] = {"type": "string"}
    order["required"] = ["order_id"]
    (folder / "contracts/events/order_completed/2-0-0.json").write_text(json.dumps(order | {"status": "draft"}))
    rules = folder / "contracts/identity.yaml"
    rules.write_text(rules.read_text().replace("scope: device", "scope: device, shared_after: 3").replace("limit: 2", "limit: 1"))
    (folder / "contracts/segments/spenders.yaml").write_text("segment: spenders\nwho: {trait: spent, gte: 10}\n")
    return folder
