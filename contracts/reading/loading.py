"""From the texts below ``contracts/`` to `Definitions`, or to everything that is wrong with them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from contracts.language.features import Measured
from contracts.language.forms.form import Surroundings
from contracts.meaning.inheritance import Inheritance, check_purposes
from contracts.meaning.properties import Properties
from contracts.meaning.tags import check_tags
from contracts.meaning.withheld import withholding
from contracts.model.budget import NO_BUDGET, Budget
from contracts.model.definitions import Contract, Definitions, Purpose, Segment
from contracts.model.destinations import Destination
from contracts.model.traits import Trait
from contracts.reading import accounts, budget, consent, identity, quality, traits
from contracts.reading.about import check_tightened
from contracts.reading.destinations import check_activated, read_destination
from contracts.reading.events import read_contracts, read_types
from contracts.reading.kinds import FOLDER as KINDS
from contracts.reading.kinds import read_kind
from contracts.reading.lineage import all_uses, check_told
from contracts.reading.lists import FOLDER as LISTS
from contracts.reading.lists import read_lists
from contracts.reading.lookups import FOLDER as LOOKUPS
from contracts.reading.lookups import read_lookup
from contracts.reading.mappings import read_mapping
from contracts.reading.said_values import Nameable
from contracts.reading.segments import in_order, named_purposes, read_segment
from contracts.reading.serving import check_serving
from contracts.text.problems import ContractErrors, Problem, closest
from contracts.text.yaml_tree import Reader, Tree
from contracts.versions.upcasts import read_upcasts
from schemalogic.typed import ANYTHING, Typed

SINGLE = (identity.FILE, consent.FILE, traits.FILE, accounts.FILE, quality.FILE, budget.FILE)
FOLDERS = {"events": ".json", "types": ".json", "segments": ".yaml", "sources": ".yaml", "destinations": ".yaml", LOOKUPS: ".yaml",
           LISTS: ".csv"}  # fmt: skip
MODEL_SUFFIX = "_model.json"
"""How the name of a trained model ends, which lies beside identity.yaml; the one that the rules name may be called anything."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_NO_TRAITS: tuple[dict[str, Trait], dict[str, Typed]] = ({}, {})
_PLACES = (
    "identity.yaml, consent.yaml, traits.yaml, accounts.yaml, quality.yaml, budget.yaml, events/<event>/1-0-0.json, types/<name>.json, "
    "segments/, sources/, destinations/ and lookups/<name>.yaml, lists/<name>.csv"
)


def load(
    files: Mapping[str, str], *, unknown_events_ok: bool = False, contradictions_ok: bool = False, undeclared_ok: bool = False
) -> Definitions:
    """The definitions in ``files`` (path below ``contracts/`` → text).

    Raises `ContractErrors` with every problem of every file. ``unknown_events_ok``: conditions may name events
    that have no contract. ``contradictions_ok``: a segment may be one that nobody can be in, as those that are in force may.
    ``undeclared_ok``: without consent.yaml every purpose that a segment names is one, denied by default, and without destinations
    a segment may name any.
    """
    model = _named_model(files.get(identity.FILE))
    problems = [problem for path in sorted(files) for problem in place_problems(path, model)]
    good = {path: text for path, text in sorted(files.items()) if not place_problems(path, model)}
    found = _read(good, Reader(problems, in_force=contradictions_ok), unknown_events_ok, undeclared_ok)
    if problems:
        raise ContractErrors(problems)
    return found


def _read(files: dict[str, str], reader: Reader, unknown_events_ok: bool, undeclared_ok: bool) -> Definitions:
    trees = {path: reader.parse(path, text) for path, text in files.items() if path.endswith(".yaml")}
    schemas = {path: text for path, text in _below(files, "events").items() if path.endswith(".json")}
    types = read_types(_below(files, "types"), reader.problems)
    contracts = read_contracts(schemas, types, reader.problems)
    upcasts = read_upcasts(reader, dict(_trees(trees, "events")), contracts)
    properties = Properties({**_unjudged(files), **contracts}, types, files, upcasts)
    rules = _single(reader, trees, identity.FILE, identity.read_identity, identity.DEFAULT_RULES)
    lookups = {_stem(path): read_lookup(reader, tree, _stem(path)) for path, tree in _trees(trees, LOOKUPS)}
    known_lookups = {**{_stem(path): None for path in _below(files, LOOKUPS)}, **lookups}
    measured = Measured(properties, unknown_events_ok, session_gap_us=rules.session_gap_us, lookups=known_lookups)
    read_quality = partial(quality.read_quality, known=quality.Known(properties.contracts, types, unknown_events_ok))
    expectations, ranges = _single(reader, trees, quality.FILE, read_quality, ((), ()))
    purposes, undeclared = _judged(reader, trees, consent.FILE, consent.read_consent, ())
    any_purpose = undeclared_ok and consent.FILE not in files
    declared = None if undeclared or any_purpose else tuple(purpose.name for purpose in purposes)
    found, unsure, about = _computed(reader, trees, traits.FILE, traits.read_traits, measured, purposes=declared)
    of_accounts = replace(measured, traits="account trait", call="group", features={}, uses=[], emits={}, tightens={}, passing={})
    theirs, _, about_accounts = _computed(reader, trees, accounts.FILE, accounts.read_account_traits, of_accounts, purposes=declared)
    spaces = None if _is_unread(trees, identity.FILE) else {namespace.name: namespace for namespace in rules.namespaces}
    lists = read_lists(_below(files, LISTS), spaces, reader.problems)
    known_traits = None if unsure else (*found, *properties.names("identify"))
    segment_names = tuple(map(_stem, _below(files, "segments")))
    destinations = _destinations(reader, trees, Nameable(spaces, known_traits, properties, (), declared, segment_names))
    around = replace(
        about,
        segments=frozenset(segment_names),
        computed=frozenset(name for name, trait in found.items() if trait.kind != "plain"),
        namespaces=spaces,
        lists=frozenset(lists),
        of_account=about_accounts,
    )
    segments = _segments(reader, trees, around, None if undeclared_ok and not destinations else _told(files))
    if any_purpose:
        purposes = tuple(Purpose(name, default=False) for name in sorted({each for one in segments for each in named_purposes(one)}))
    check_tags(properties.documents(), around.purposes, None if spaces is None else list(spaces), reader.problems)
    uses = all_uses(measured, of_accounts, segments, destinations, trees.get(identity.FILE), rules)
    inherited = Inheritance(uses, properties, tuple(found.values()), theirs.values())
    _check_destinations(reader, trees, destinations, segments, inherited)
    _check_inherited(reader, inherited, segments, measured, of_accounts)
    return Definitions(
        digest=digest(files),
        files=files,
        identity=rules,
        contracts=contracts,
        types=types,
        expectations=expectations,
        ranges=ranges,
        upcasts=upcasts,
        traits=tuple(found.values()),
        account_traits=tuple(theirs.values()),
        account_features=dict(sorted(of_accounts.features.items())),
        purposes=purposes,
        segments=segments,
        features=dict(sorted(measured.features.items())),
        destinations=tuple(withholding(one, segments, inherited) for one in destinations),
        mappings={_stem(path): read_mapping(reader, tree, _stem(path)) for path, tree in _trees(trees, "sources")},
        lookups=tuple(lookups.values()),
        lists=lists,
        budget=_budget(reader, trees, segments, found),
        uses=uses,
    )


def _unjudged(files: dict[str, str]) -> dict[str, tuple[Contract, ...]]:
    """Every event that has a folder: of a contract that cannot be read it is said once, and what names its event is not wrong by that."""
    return dict.fromkeys((path.split("/")[1] for path in _below(files, "events")), ())


def _budget(reader: Reader, trees: dict[str, Tree | None], segments: Iterable[Segment], traits: Mapping[str, Trait]) -> Budget:
    """Held against the segments, unless these are in force: what they cost is said of them, and by the next apply."""
    found: Budget = _single(reader, trees, budget.FILE, budget.read_budget, NO_BUDGET)
    if not reader.in_force:
        budget.check_budget(found, segments, traits, reader.problems)
    return found


def _segments(
    reader: Reader, trees: dict[str, Tree | None], around: Surroundings, destinations: Iterable[str] | None
) -> tuple[Segment, ...]:
    """Those of the files. ``destinations``: the paths of those that they may name, None for any."""
    names = None if destinations is None else tuple(map(_stem, destinations))
    drafts = [read_segment(reader, tree, _stem(path), around, names) for path, tree in _trees(trees, "segments")]
    return in_order([draft for draft in drafts if draft is not None], reader.problems)


def _check_destinations(
    reader: Reader, trees: dict[str, Tree | None], destinations: list[Destination], segments: Iterable[Segment], inherited: Inheritance
) -> None:
    check_told(inherited.uses, destinations, reader.problems)
    check_activated(reader, inherited.uses, destinations)
    for destination in destinations:
        tree = trees.get(f"destinations/{destination.name}.yaml")
        if tree is not None and not reader.in_force:
            check_serving(reader, tree, destination, segments, inherited)


def _check_inherited(reader: Reader, inherited: Inheritance, segments: Iterable[Segment], people: Measured, accounts: Measured) -> None:
    check_purposes(inherited, segments, reader.problems)
    reader.problems += check_tightened(inherited, inherited.traits, people)
    reader.problems += check_tightened(inherited, inherited.of_accounts, accounts)


def _computed(
    reader: Reader,
    trees: dict[str, Tree | None],
    file: str,
    read: Callable[..., tuple[dict[str, Trait], dict[str, Typed]]],
    measured: Measured,
    *,
    purposes: tuple[str, ...] | None,
) -> tuple[dict[str, Trait], bool, Surroundings]:
    """The computed traits of people or of accounts, whether something in their file is wrong, and what conditions may name by them."""
    (found, kinds), unsure = _judged(reader, trees, file, partial(read, measured=measured, purposes=purposes), _NO_TRAITS)
    about = Surroundings(
        measured=measured,
        purposes=purposes,
        segments=frozenset(),
        traits={name: kinds.get(name, ANYTHING) for name in found},
        approximate=traits.inexact(found),
        identify=bool(measured.properties.contracts.get(measured.call)) and not unsure,
        call=measured.call,
        contradictions_ok=reader.in_force,
    )
    return found, unsure, about


def _destinations(reader: Reader, trees: dict[str, Tree | None], nameable: Nameable) -> list[Destination]:
    """The destinations, and before them the kinds that are the project's own."""
    own = {_stem(path): None if tree is None else read_kind(reader, tree, _stem(path)) for path, tree in trees.items() if _is_kind(path)}
    found = [(path, tree) for path in _told(trees) if (tree := trees[path]) is not None]
    return [read_destination(reader, tree, _stem(path), nameable, own) for path, tree in found]


def _told(files: Mapping[str, Any]) -> list[str]:
    """The files of destinations."""
    return [path for path in files if path.startswith("destinations/") and not _is_kind(path)]


def _is_kind(path: str) -> bool:
    return path.startswith(f"{KINDS}/")


def _judged(
    reader: Reader, trees: dict[str, Tree | None], file: str, read: Callable[[Reader, Tree], Any], default: Any
) -> tuple[Any, bool]:
    """`_single`, and whether something in it is wrong: what names a purpose or a trait of such a file is not wrong because of it."""
    before = len(reader.problems)
    return _single(reader, trees, file, read, default), len(reader.problems) > before or _is_unread(trees, file)


def _single(reader: Reader, trees: dict[str, Tree | None], file: str, read: Callable[[Reader, Tree], Any], default: Any) -> Any:
    tree = trees.get(file)
    return default if tree is None else read(reader, tree)


def _is_unread(trees: dict[str, Tree | None], file: str) -> bool:
    """Whether a file is there and is no YAML."""
    return trees.get(file, file) is None


def _trees(trees: dict[str, Tree | None], folder: str) -> list[tuple[str, Tree]]:
    return [(path, tree) for path, tree in trees.items() if tree is not None and path.startswith(folder + "/")]


def _below(files: dict[str, str], folder: str) -> dict[str, str]:
    return {path: text for path, text in files.items() if path.startswith(folder + "/")}


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _named_model(text: str | None) -> str | None:
    """The path of the model that an identity.yaml names, if it can be read."""
    if text is None or "probabilistic" not in text:
        return None
    tree: Tree | None = Reader([]).parse(identity.FILE, text)
    for key in ("probabilistic", "model"):
        tree = tree.value.get(key) if tree is not None and isinstance(tree.value, dict) else None
    return tree.value.removeprefix("./") if tree is not None and isinstance(tree.value, str) and tree.value.endswith(".json") else None


def place_problems(path: str, model: str | None = None) -> list[Problem]:
    """Whether a file may be there under that name; ``model`` is the one that the rules of identities name."""
    parts = PurePosixPath(path).parts or ("",)
    if path.endswith((".py", ".pyc")):
        return [Problem(path, 1, "", "only YAML and JSON below contracts/", "a Python file", "code belongs outside of the project folder")]
    if path in SINGLE or path == model or (len(parts) == 1 and path.endswith(MODEL_SUFFIX)):
        return []
    if parts[0] in FOLDERS and len(parts) > 1:
        return _folder_problems(path, parts)
    known = (*SINGLE, *FOLDERS)
    hint = closest(parts[0], known) if len(parts) > 1 or not closest(parts[0], SINGLE) else closest(parts[0], SINGLE)
    return [Problem(path, 1, "", f"one of {_PLACES}", path, hint)]


def _folder_problems(path: str, parts: tuple[str, ...]) -> list[Problem]:
    folder, name = parts[0], PurePosixPath(parts[-1])
    depth = 3 if folder == "events" or _is_kind("/".join(parts)) else 2
    suffix = ".yaml" if folder == "events" and "-to-" in name.stem else FOLDERS[folder]
    below = KINDS if depth == 3 else folder
    shape = "events/<event>/1-0-0.json" if folder == "events" else f"{below}/<name>{suffix}"
    if len(parts) != depth or name.suffix != suffix:
        hint = f"rename it to {name.stem}{suffix}" if name.suffix == ".yml" and len(parts) == depth else ""
        return [Problem(path, 1, "", shape, path, hint)]
    if folder != "events" and not _NAME.fullmatch(name.stem):
        return [Problem(path, 1, "", "a name of small letters, digits, `_` and `-`", name.stem, "rename the file")]
    return []


def digest(files: Mapping[str, str]) -> str:
    """16 hexadecimal digits that name this content: of the SHA-256 of all paths and texts, in order of the paths."""
    total = hashlib.sha256()
    for path, text in sorted(files.items()):
        for part in (path.encode(), text.encode("utf-8", "surrogatepass")):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()[:16]


def _saved(error: Exception) -> str:
    return "save it anew, with the encoding UTF-8" if isinstance(error, UnicodeDecodeError) else ""


def read_files(root: Path, *, unknown_events_ok: bool = False) -> dict[str, str]:
    """The data files below a ``contracts`` folder: posix path → text. Not read are README.md, hidden files, the
    cases in segments/tests, and an ``__init__.py``, by which the folder may also be a package of the project's.

    Raises `ContractErrors` for files that may not be there (a Python file, an unknown place) or are not UTF-8,
    together with the problems of the others. The package's own code is no problem in its own folder.
    """
    files, problems = readable_files(root)
    if problems:
        try:
            load(files, unknown_events_ok=unknown_events_ok)
        except ContractErrors as error:
            problems += error.problems
        raise ContractErrors(problems)
    return files


def readable_files(root: Path) -> tuple[dict[str, str], list[Problem]]:
    """Those of `read_files` that may be there and are texts, and what is wrong with the others."""
    if not root.is_dir():
        return {}, [Problem(root.name, 1, "", "a folder of contracts", f"nothing at {root}", "`skep init DIR` makes a project")]
    own = root.resolve() == Path(__file__).resolve().parents[1]
    rules = root / identity.FILE
    model = _named_model(rules.read_bytes().decode("utf-8-sig", "replace")) if rules.is_file() else None
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root)
        if file.is_dir() or _is_ignored(path, own):
            continue
        found = place_problems(path.as_posix(), model)
        problems += found
        if not found:
            try:
                files[path.as_posix()] = file.read_bytes().decode("utf-8-sig")
            except (UnicodeDecodeError, OSError) as error:
                problems.append(Problem(path.as_posix(), 1, "", "a readable file in UTF-8", str(error), _saved(error)))
    return files, problems


def _is_ignored(path: Path, own: bool) -> bool:
    if any(part.startswith(".") or part == "__pycache__" for part in path.parts) or path.name in {"README.md", "__init__.py"}:
        return True
    if path.parts[:2] == ("segments", "tests"):
        return True
    return own and path.suffix == ".py"
