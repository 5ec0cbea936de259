"""Golden files of segments: a definition, events, ``----``, and who is a member at which time.

The definition is YAML: ``segments`` by name (a condition, or the keys of a segment), ``traits``, those of ``accounts``, ``purposes``, and
``shown``: the names of traits whose values stand there, too; ``identity``, and ``lists`` by the names of their files. A line of events is
``TIME PERSON NAME JSON``: the properties of an event, of ``identify`` (``identify@crm``: from that source) the traits, of ``group`` the
traits and the ``id`` of the account, of ``consents`` what is granted. The last line before ``----`` begins with ``at``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import contracts
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.text.yaml_tree import Reader
from tests.engine import from_source
from tests.generator import to_events
from tests.model_links import instant

FOLDER = Path(__file__).parent / "segments"


@dataclass(frozen=True)
class Case:
    """One golden file; ``people`` are user ids, ``sources`` where each of the bodies comes from."""

    asked: str
    expected: str
    given: Any
    definitions: Definitions
    bodies: list[dict[str, Any]]
    sources: list[str]
    times: list[str]

    @property
    def people(self) -> list[str]:
        return sorted({body["userId"] for body in self.bodies})

    def until(self, time: str) -> list[tuple[str, dict[str, Any]]]:
        """What has happened by a time, and where it comes from."""
        pairs = zip(self.sources, self.bodies, strict=True)
        return [(source, body) for source, body in pairs if instant(body["timestamp"]) <= instant(time)]

    def events(self, time: str) -> list[Event]:
        return [event for source, body in self.until(time) for event in from_source(source, to_events([body], self.definitions))]

    def shown(self, members: dict[str, set[tuple[str, str]]]) -> str:
        """(segment, person) of each time, and (trait, person and value), as the file has it."""
        lines = []
        for time in self.times:
            lines.append(time)
            for segment in (*self.given.get("segments", ()), *self.given.get("shown", ())):
                inside = sorted(person for name, person in members[time] if name == segment)
                lines.append(f"  {segment}: {' '.join(inside) or 'nobody'}")
        return "\n".join(lines) + "\n"


def read(path: Path) -> Case:
    asked, _, expected = path.read_text().partition("----\n")
    definition, _, rest = asked.partition("\n\n")
    tree = Reader([]).parse(path.name, definition)
    assert tree is not None, path
    given = tree.plain()
    *lines, last = rest.strip().splitlines()
    assert last.startswith("at "), path
    bodies = [_body(number, line) for number, line in enumerate(lines, 1) if line]
    sources = [line.split(" ", 3)[2].partition("@")[2] or "p" for line in lines if line]
    return Case(asked, expected, given, definitions_of(given), bodies, sources, last.split()[1:])


def definitions_of(given: Any) -> Definitions:
    """The definitions of a golden file, or of an example: events need no contracts."""
    files: dict[str, Any] = {"traits.yaml": {"traits": given.get("traits", [])}, "consent.yaml": {"purposes": given.get("purposes", [])}}
    if "accounts" in given:
        files["accounts.yaml"] = {"traits": given["accounts"]}
    if "identity" in given:
        files["identity.yaml"] = given["identity"]
    for name, who in given.get("segments", {}).items():
        files[f"segments/{name}.yaml"] = {"segment": name, **(who if "who" in who else {"who": who})}
    texts = {path: json.dumps(content, ensure_ascii=False) for path, content in files.items()}
    lists = {f"lists/{name}": text for name, text in given.get("lists", {}).items()}
    return contracts.load({**texts, **lists}, unknown_events_ok=True, contradictions_ok=True)


def _body(number: int, line: str) -> dict[str, Any]:
    time, person, rest = line.split(" ", 2)
    named, _, text = rest.partition(" {")
    name = named.partition("@")[0]
    content = json.loads("{" + text) if text else {}
    body: dict[str, Any] = {"messageId": f"m{number}", "timestamp": time, "userId": person, "context": {}}
    if name == "identify":
        return {**body, "type": "identify", "traits": content}
    if name == "group":
        return {**body, "type": "group", "groupId": content.pop("id"), "traits": content}
    if name == "consents":
        return {**body, "type": "identify", "context": {"consent": {"categoryPreferences": content}}}
    context = {"context": content.pop("context")} if "context" in content else {}
    return {**body, "type": "track", "event": name, "properties": content, **context}
