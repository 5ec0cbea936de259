"""Destinations out of texts, as tests of activation write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.model.destinations import Destination, Vendor
from contracts.reading.destinations import read_destination
from contracts.reading.kinds import read_kind
from contracts.reading.said_values import Nameable
from contracts.text.problems import Problem
from contracts.text.yaml_tree import Reader
from operators.activation.renderer import Renderer
from operators.activation.told import Rendered, Told

HTTP = 'kind: http\nconnection: {url: "https://api.example.com/v1/", auth: {bearer: "${TOKEN}"}}\n'


def destination(text: str, kinds: Mapping[str, str] | None = None, name: str = "crm") -> Destination:
    """The destination of a file, with kinds of the project's own."""
    problems: list[Problem] = []
    reader = Reader(problems)
    own: dict[str, Vendor | None] = {}
    for kind, said in (kinds or {}).items():
        tree = reader.parse(f"destinations/kinds/{kind}.yaml", said)
        own[kind] = None if tree is None else read_kind(reader, tree, kind)
    tree = reader.parse(f"destinations/{name}.yaml", text)
    assert tree is not None, problems
    found = read_destination(reader, tree, name, Nameable(), own)
    assert problems == [], "\n".join(map(str, problems))
    return found


def render(text: str, *told: Told, **kinds: str) -> Rendered:
    """The requests of a file for what is told, with the secret ``S``."""
    return Renderer(destination(text, kinds), lambda _: "S").render(told)


def somebody(profile: str = "p1", **more: Any) -> dict[str, Any]:
    """A person with an address."""
    return {"profile": profile, "identifiers": {"email": f"{profile}@example.org"}, "traits": {}, **more}


def enter(profile: str = "p1", audience: str = "vips", **more: Any) -> Told:
    return Told("enter", somebody(profile, **more), f"crm:{audience}:{profile}:1", audience, {"type": "segment.entered"})


def leave(profile: str = "p1", audience: str = "vips", **more: Any) -> Told:
    return Told("exit", somebody(profile, **more), f"crm:{audience}:{profile}:2", audience, {"type": "segment.exited"})
