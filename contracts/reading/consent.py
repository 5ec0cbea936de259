"""``consent.yaml``: the purposes that people can consent to."""

from __future__ import annotations

from contracts.model.definitions import Purpose
from contracts.text.names import event_name
from contracts.text.yaml_tree import Reader, Tree

FILE = "consent.yaml"


_OPT = {"opt_in": "denied", "opt_out": "granted"}


def _default(reader: Reader, at: Tree | None) -> str:
    """What counts while nothing is decided. To opt in is what somebody does who was out."""
    meant = _OPT.get(event_name(str(at.value))) if at is not None else None
    if at is None or meant is None:
        return reader.choice(at, ("granted", "denied"), "denied")
    reader.refuse(at, "granted or denied", None, f"{at.value} means that it is {meant} until somebody decides: write {meant}")
    return "denied"


def read_consent(reader: Reader, at: Tree) -> tuple[Purpose, ...]:
    """The declared purposes, in the order of the file."""
    parts = reader.fields(at, ("purposes",))
    found: dict[str, Purpose] = {}
    for item in reader.items(parts.get("purposes"), "a list of purposes, each with a name and a default"):
        if not isinstance(item.value, dict):
            reader.refuse(item, "a purpose with a name and a default", None, f"write {{name: {item.value}, default: denied}}")
            continue
        fields = reader.fields(item, ("name", "default"))
        name = reader.text(reader.required(item, fields, "name", "the name of the purpose"))
        default = _default(reader, reader.required(item, fields, "default", "granted or denied"))
        if name in found:
            reader.refuse(fields["name"], "every purpose once", f"{name} again")
        elif name:
            found[name] = Purpose(name, default == "granted")
    return tuple(found.values())
