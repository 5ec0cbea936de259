"""``consent.yaml``: the purposes that people can consent to."""

from __future__ import annotations

from contracts.model.definitions import Purpose
from contracts.text.keys import Fields, Key, Own, Text
from contracts.text.names import event_name
from contracts.text.yaml_tree import Reader, Tree

FILE = "consent.yaml"


_OPT = {"opt_in": "denied", "opt_out": "granted"}


def _default(reader: Reader, at: Tree) -> str:
    """What counts while nothing is decided. To opt in is what somebody does who was out."""
    meant = _OPT.get(event_name(str(at.value)))
    if meant is None:
        return reader.choice(at, ("granted", "denied"), "denied")
    reader.refuse(at, "granted or denied", None, f"{at.value} means that it is {meant} until somebody decides: write {meant}")
    return "denied"


PURPOSE = Fields((
    Key("name", Text(), "the purpose, as events and segments name it", required="the name of the purpose"),
    Key("default", Own({"enum": ["granted", "denied"]}, _default), "what counts while somebody has decided nothing",
        required="granted or denied"),
))  # fmt: skip
CONSENT = Fields((Key("purposes", PURPOSE.listed(), "what people can consent to"),))


def read_consent(reader: Reader, at: Tree) -> tuple[Purpose, ...]:
    """The declared purposes, in the order of the file."""
    found: dict[str, Purpose] = {}
    for item in reader.items(CONSENT.read(reader, at)["purposes"], "a list of purposes, each with a name and a default"):
        if not isinstance(item.value, dict):
            reader.refuse(item, "a purpose with a name and a default", None, f"write {{name: {item.value}, default: denied}}")
            continue
        parts = PURPOSE.parts(reader, item)
        said = PURPOSE.values(reader, item, parts)
        name = said["name"]
        if name in found:
            reader.refuse(parts["name"], "every purpose once", f"{name} again")
        elif name:
            found[name] = Purpose(name, said["default"] == "granted")
    return tuple(found.values())
