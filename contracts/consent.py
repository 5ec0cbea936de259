"""``consent.yaml``: the purposes that people can consent to."""

from __future__ import annotations

from contracts.definitions import Purpose
from contracts.yaml_tree import Reader, Tree

FILE = "consent.yaml"


def read_consent(reader: Reader, at: Tree) -> tuple[Purpose, ...]:
    """The declared purposes, in the order of the file."""
    parts = reader.fields(at, ("purposes",))
    found: dict[str, Purpose] = {}
    for item in reader.items(parts.get("purposes"), "a list of purposes, each with a name and a default"):
        fields = reader.fields(item, ("name", "default"))
        name = reader.text(reader.required(item, fields, "name", "the name of the purpose"))
        default = reader.choice(reader.required(item, fields, "default", "granted or denied"), ("granted", "denied"), "denied")
        if name in found:
            reader.refuse(fields["name"], "every purpose once", f"{name} again")
        elif name:
            found[name] = Purpose(name, default == "granted")
    return tuple(found.values())
