"""``events/<event>/<OLD>-to-<NEW>.yaml``, read and checked: its name, its steps, and what its examples show."""

from __future__ import annotations

import re
from typing import Any
from unicodedata import normalize

from contracts.model.definitions import Contract, Version
from contracts.model.upcast_steps import Example, Step, Upcast
from contracts.model.versions import newest, version_text, way
from contracts.text.keys import Fields, Key, Own, text_schema
from contracts.text.problems import Problem, listed
from contracts.text.yaml_tree import Reader, Tree
from contracts.versions.upcasts.examples import example_problems
from contracts.versions.upcasts.steps import STEPS

_NAME = re.compile(r"(0|[1-9]\d*)-(0|[1-9]\d*)-(0|[1-9]\d*)-to-(0|[1-9]\d*)-(0|[1-9]\d*)-(0|[1-9]\d*)\.yaml", re.ASCII)
_A_NAME = "a file named OLD-to-NEW.yaml such as 1-0-0-to-2-0-0.yaml"


def read_upcasts(reader: Reader, trees: dict[str, Tree], contracts: dict[str, tuple[Contract, ...]]) -> dict[str, tuple[Upcast, ...]]:
    """The upcasts of the YAML files below ``events/`` (by path), by event, in order of their versions.

    A problem as well: an old model from which no upcast leads on. Of an event whose files have problems already, what
    stands in several files is not checked.
    """
    found: dict[str, list[Upcast]] = {}
    for file, tree in sorted(trees.items()):
        _, folder, name = file.split("/")
        event = normalize("NFC", folder)
        pair = versions_of(name)
        if pair is None:
            reader.refuse(tree, _A_NAME, name, "rename the file")
            continue
        known = contracts.get(event)
        if known is not None or not _has_problems(reader, event):
            _check_versions(reader, tree, event, pair, known or ())
        upcast = read_upcast(reader, tree, event, pair)
        if upcast is not None:
            found.setdefault(event, []).append(upcast)
    for event, versions in contracts.items():
        if not _has_problems(reader, event):
            reader.problems += _missing(event, versions, found.get(event, []))
    return {event: tuple(sorted(upcasts, key=lambda one: (one.old, one.new))) for event, upcasts in found.items()}


def versions_of(name: str) -> tuple[Version, Version] | None:
    """OLD and NEW of a file's name; None if it is not the name of an upcast."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    a, b, c, d, e, f = map(int, match.groups())
    return (a, b, c), (d, e, f)


def _has_problems(reader: Reader, event: str) -> bool:
    return any(problem.file.startswith(f"events/{event}/") for problem in reader.problems)


def _check_versions(reader: Reader, at: Tree, event: str, pair: tuple[Version, Version], versions: tuple[Contract, ...]) -> None:
    known = [version_text(one.version) for one in versions]
    for version in map(version_text, pair):
        if version not in known:
            hint = f"the versions of {event} are {', '.join(known)}" if known else ""
            reader.refuse(at, f"a version that is there: contracts/events/{event}/{version}.json", "no such file", hint)


def _missing(event: str, versions: tuple[Contract, ...], upcasts: list[Upcast]) -> list[Problem]:
    last = newest(versions)
    old = [one.version for one in versions if one.status != "draft" and one.version[0] < last.version[0]]
    ends = [_furthest(version, upcasts, last.version) for version in old if not way(version, upcasts, last.version)]
    return [
        Problem(
            last.file,
            1,
            "",
            f"an upcast from model {model}: contracts/events/{event}/{version_text(version)}-to-{version_text(last.version)}.yaml",
            "nothing that leads from it to a later model",
            "documents of an old model are read at the newest one",
        )
        for model, version in sorted({end[0]: end for end in sorted(ends)}.items())
    ]


def _furthest(version: Version, upcasts: list[Upcast], target: Version) -> Version:
    """Where a version gets to on its way."""
    for model in range(target[0] - 1, version[0], -1):
        steps = way(version, upcasts, (model, 0, 0))
        if steps:
            return steps[-1].new
    return version


def read_upcast(reader: Reader, at: Tree, event: str, pair: tuple[Version, Version]) -> Upcast | None:
    """The upcast of a file whose name says ``pair`` (OLD and NEW); None, and problems, if something is wrong with it.

    Its examples are run: each must come out as it says, and each step that changes values must occur in one.
    """
    before = len(reader.problems)
    old, new = pair
    parts = UPCAST.parts(reader, at)
    _check_head(reader, at, parts, pair)
    listed_steps = reader.required(at, parts, "steps", "a list of steps")
    trees = reader.items(listed_steps, "a list of steps")
    if listed_steps is not None and listed_steps.value == []:
        reader.refuse(listed_steps, "at least one step", "none")
    steps = tuple(_read_step(reader, tree) for tree in trees)
    examples = _read_examples(reader, parts.get("examples"))
    if len(reader.problems) > before:
        return None
    upcast = Upcast(event, old, new, steps, at.file, examples)
    reader.problems += example_problems(upcast)
    return upcast if len(reader.problems) == before else None


def _check_head(reader: Reader, at: Tree, parts: dict[str, Tree], pair: tuple[Version, Version]) -> None:
    old, new = pair
    said = f"{version_text(old)} to {version_text(new)}"
    head = reader.required(at, parts, "upcast", said)
    if old[0] >= new[0]:
        hint = "a version of the same model needs none" if old[0] == new[0] else "swap them, or delete the file"
        reader.refuse(at, "an upcast to a later model: the first number of NEW above that of OLD", said, hint)
    elif head is not None and head.value != said:
        reader.refuse(head, f"{said}, as the file is named")


def _read_step(reader: Reader, at: Tree) -> Step:
    parts = STEP.parts(reader, at)
    kinds = [name for name in parts if name != "examples"]
    examples = _read_examples(reader, parts.get("examples"))
    if len(kinds) == 1:
        STEPS[kinds[0]].kind.read(reader, parts[kinds[0]], None)
        return Step(kinds[0], parts[kinds[0]].plain(), at.line, examples)
    if kinds or (isinstance(at.value, dict) and all(name == "examples" for name in at.value)):
        reader.refuse(at, f"one of {listed(STEPS)}", " and ".join(kinds) or "none of them", "each in a step of its own" if kinds else "")
    return Step("", None, at.line)


def _read_examples(reader: Reader, at: Tree | None) -> tuple[Example, ...]:
    found = []
    for tree in reader.items(at, "a list of examples, each with `old` and `new`"):
        parts = reader.fields(tree, ("old", "new"))
        sides: list[dict[str, Any]] = []
        for side in ("old", "new"):
            part = reader.required(tree, parts, side, "a document") if isinstance(tree.value, dict) else None
            if part is not None and reader.mapping(part, "a document, that is a mapping") is part.value:
                sides.append(part.plain())
        if len(sides) == 2:
            found.append(Example(sides[0], sides[1], tree.line))
    return tuple(found)


_EXAMPLES = Fields((
    Key("old", Own({"type": "object"}), required="the document before"),
    Key("new", Own({"type": "object"}), required="the document after"),
)).listed()  # fmt: skip
STEP = Fields(
    (*STEPS.values(), Key("examples", _EXAMPLES, "what the step does")),
    {"oneOf": [{"required": [kind]} for kind in STEPS]},
)
UPCAST = Fields((
    Key("upcast", Own(text_schema()), "the versions, as the file is named, such as 1-0-0 to 2-0-0", required="the versions"),
    Key("steps", STEP.listed(minItems=1), "what is done to a document, one after the other", required="a list of steps"),
    Key("examples", _EXAMPLES, "documents before and after all steps"),
))  # fmt: skip
