"""The house stays in order: imports point downward and never round, files and classes stay small, one name is one thing."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import packages_distributions

import pytest

from tests.house import ROOMS, ROOT, File, circle, files, folders, imported

LINES_MAX, CLASS_LINES_MAX, METHODS_MAX, FUNCTION_LINES_MAX = 400, 300, 20, 70
LONG: dict[str, int] = {}
"""Files, and classes as ``path:Class``, that are larger: they may shrink, and leave the list when they are small."""


def architecture() -> list[list[str]]:
    """The rows of the tables of rooms and floors in docs/architecture.md."""
    section = (ROOT / "docs/architecture.md").read_text().split("\n## Folders\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def places(cell: str) -> list[str]:
    """The folders and files that a cell names, as modules."""
    return [name.rstrip("/").removesuffix(".py").replace("/", ".") for name in re.findall(r"`([\w./]+)`", cell)]


MAY = {places(row[0])[0]: set(places(row[2])) for row in architecture() if len(row) == 3}
"""Room → what of ours it may import."""
FLOORS = [places(row[0])[0] for row in architecture() if len(row) == 2]
"""What lies on a floor of a room imports of that room only its own floor and those before it."""


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_the_table_says(room: str) -> None:
    wrong = [
        f"{module} imports {target}"
        for module, targets in imported().items()
        if module.split(".")[0] == room
        for target in sorted(targets)
        if not any(_within(target, name) for name in MAY[room] | {room})
    ]
    assert wrong == []


def test_the_table_has_every_room() -> None:
    assert sorted(MAY) == sorted(ROOMS)


def test_floors_import_downward() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, targets in imported().items()
        if (here := _floor(module)) is not None
        for target in sorted(targets)
        if (there := _floor(target)) is not None and there > here and module.split(".")[0] == target.split(".")[0]
    ]
    assert wrong == []


GROUND = {"contracts", "skep", "skep.compiled", "skep.notebooks", "skep.own_packages"}
"""What is none of a room's floors: its door, and what runs before anything of it."""


def test_every_module_of_a_room_with_floors_stands_on_one() -> None:
    rooms = {floor.split(".")[0] for floor in FLOORS}
    assert rooms == {"contracts", "skep"}
    assert [module for module in files() if module.split(".")[0] in rooms and _floor(module) is None and module not in GROUND] == []


def _floor(module: str) -> int | None:
    return next((at for at, floor in enumerate(FLOORS) if _within(module, floor)), None)


def _within(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")


def test_no_circles_of_files() -> None:
    assert circle(imported()) == []


def test_no_circles_of_folders() -> None:
    assert circle(folders()) == []


def test_no_code_imports_tests_or_perf() -> None:
    wrong = [f"{module}: {name}" for module, file in files().items() for name in file.imports() if name.split(".")[0] in {"tests", "perf"}]
    assert wrong == []


OF_TERMINALS = {"rich", "typer", "click", "prompt_toolkit", "pygments", "plotext"}
MAY_WRITE = {
    "skep/project/log.py": "the log",
    "skep/project/terminal.py": "guards the streams",
    "skep/tools/compat.py": "flushes them before it forks",
}


def test_only_the_command_line_knows_a_terminal() -> None:
    """An answer is data: whoever shows it, prints it."""
    wrong = []
    for file in files().values():
        if file.path.startswith("skep/cli/"):
            continue
        wrong += [f"{file.path} imports {name}" for name in file.imports() if name.split(".")[0] in OF_TERMINALS]
        calls = (node for node in file.nodes(ast.Call) if isinstance(node, ast.Call))
        wrong += [f"{file.path}:{call.lineno} prints" for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        streams = [node for node in file.nodes(ast.Attribute) if isinstance(node, ast.Attribute) and node.attr in {"stdout", "stderr"}]
        if file.path not in MAY_WRITE:
            wrong += [
                f"{file.path}:{node.lineno} {node.attr}" for node in streams if isinstance(node.value, ast.Name) and node.value.id == "sys"
            ]
    assert wrong == []


def sizes() -> dict[str, int]:
    """Files and classes that are larger than they should be, in lines; a class with too many methods counts as these times 10."""
    found = {file.path: file.lines for file in files().values() if file.lines > LINES_MAX}
    for file in files().values():
        for node in file.nodes(ast.ClassDef):
            assert isinstance(node, ast.ClassDef)
            lines = (node.end_lineno or 0) - node.lineno + 1
            methods = sum(isinstance(one, ast.FunctionDef) for one in node.body)
            if lines > CLASS_LINES_MAX or methods > METHODS_MAX:
                found[f"{file.path}:{node.name}"] = max(lines, methods * 10)
    return found


def test_files_and_classes_stay_small() -> None:
    found = sizes()
    assert {name: size for name, size in found.items() if size > LONG.get(name, 0)} == {}
    assert sorted(set(LONG) - set(found)) == [], "small by now: take it out of the list"


def test_functions_stay_short() -> None:
    long = [
        f"{file.path}:{node.lineno} {node.name}"
        for file in files().values()
        for node in file.nodes(ast.FunctionDef)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert long == []


NAMED_AFTER = {
    "schemalogic/": "a library of its own",
    "contracts/reading/": "the YAML file that is read",
    "contracts/language/forms/": "the form of a condition",
    "contracts/language/measures/": "the measure",
    "operators/segments/cells/": "the measure",
    "operators/segments/sql/": "the part of the language that is told in SQL",
    "operators/view/": "the noun that is read",
    "state/snapshot/": "what the snapshot has of it",
    "skep/answers/": "what is asked about",
    "skep/tools/demo/": "what is made up",
    "skep/tools/editor/": "what the editor is told of",
    "skep/cli/": "the answer that is asked for or shown",
}
"""Rooms in which a file bears the name of a noun that has its home elsewhere, and which noun that is."""
SAME_FILES = {
    "activation.py": (2, "the flow, and what it holds open"),
    "archive.py": (2, "the step, and the store"),
    "bump.py": (2, "which number a change deserves, and the command's work with two files"),
    "changes.py": (2, "of the log, and between two versions of a contract"),
    "clusters.py": (2, "of links, and of likeness"),
    "comparisons.py": (2, "of a predicate with a contract, and of two records"),
    "control.py": (2, "the partition, and what its entries do"),
    "definitions.py": (2, "what they are, and how they take effect"),
    "errors.py": (3, "one tree for what is outside, one for a project, one for what is stored"),
    "files.py": (3, "of a source, of upcasts, and durable ones"),
    "inference.py": (2, "of a contract, and of one from a file"),
    "keys.py": (3, "of YAML files, of skep.yaml, and of the shard"),
    "ledger.py": (2, "of what destinations hold, and of scores"),
    "linked.py": (2, "two identifiers, and two records"),
    "metrics.py": (2, "what they are, and where they are served"),
    "personal.py": (2, "where personal values stand, and how a project hides them"),
    "predicates.py": (2, "as written, and as evaluated"),
    "records.py": (2, "of the shard, and of training"),
    "step.py": (2, "the steps of the flow that hold state"),
    "values.py": (4, "of files, of upcasts, of comparisons, of scores"),
    "work.py": (2, "what a space works on, and what the settings make of it"),
    "versions.py": (2, "of a contract in order, and compiled"),
}
"""Names of files that are there more than once: how often, and what they are."""
SAME_CLASSES = {
    "Broken": (2, "an expectation that does not hold, and its line in a status"),
    "Call": (2, "of a destination, and of a member of an account"),
    "Changes": (2, "of the log as a source, and what a plan would change"),
    "Claim": (2, "of a version number, and of a person to events of a device"),
    "Column": (4, "of a table of the snapshot, of a screen, of a result, of a file"),
    "Destination": (2, "as a file describes it, and who is told"),
    "Device": (2, "in the store, and in the demo"),
    "Evidence": (2, "of likeness, and of a person"),
    "Field": (2, "of the snapshot, and of a guess"),
    "Form": (2, "of a condition, and its stream"),
    "Group": (2, "of a rebuild, and of a drawing"),
    "Known": (2, "contracts of expectations, and records of likeness"),
    "Limits": (2, "of a destination, and of identifiers and links"),
    "Ledger": (2, "of what destinations hold, and of scores"),
    "Lines": (3, "of a file, and of a function that is written"),
    "Linked": (3, "what became of an event's links, and of the records of a training"),
    "Names": (3, "of a history, of an editor, of typed views"),
    "Owned": (2, "what a visit comes to, and an event of a simulation"),
    "Partition": (2, "being read, and its line in a status"),
    "Person": (4, "in the store, and in a training"),
    "Plan": (3, "of the stream, of the SQL twin, and of a change of definitions"),
    "Profile": (2, "looked up, and of a simulation"),
    "Property": (2, "of a catalog, and of an editor"),
    "Quality": (2, "what keeps scores, and its answer"),
    "Read": (2, "the step of the flow, and how much of a file it has read"),
    "Reader": (2, "of sources, and of a YAML file"),
    "Reason": (2, "why somebody is a member, and why a change breaks"),
    "Rebuilds": (2, "what they have cost, and their line in a status"),
    "Record": (2, "as likeness clusters it, and as it is stored"),
    "Records": (2, "of a partition, and of a training"),
    "Refused": (2, "a record, and a value of an upcast"),
    "Registered": (2, "what a contract keeps of it, and what a registry says"),
    "Remembered": (2, "moments of a person, and files of a flow"),
    "Report": (2, "of a bump, and of a comparison"),
    "Row": (2, "what is wanted at a destination, and a score"),
    "Rows": (3, "of files, of a shard, and into DuckDB"),
    "Ruling": (2, "by hand, and a line of a simulation"),
    "Sample": (2, "of a plan, and of repairs"),
    "Scorer": (2, "of pairs, and of sources"),
    "Session": (2, "of a device, and of `skep sql`"),
    "Standing": (4, "of a space, of the files, of a run, of a folder"),
    "Step": (2, "of an upcast, and of a migration"),
    "Stream": (2, "of a file, and towards a terminal"),
    "Text": (2, "a part of the language's values, and a kind of key"),
    "Told": (4, "what goes to a destination, and what is heard of a flow, of a simulation, of a training"),
    "Trial": (2, "of definitions, and of repairs"),
    "Tried": (2, "a repair, and a mapping"),
    "Unread": (2, "a line of a simulation, and one of a status"),
    "Values": (2, "of a namespace, and of a document"),
    "Verdict": (2, "of a reply, and of a repair"),
    "View": (2, "of a space, and of the snapshot"),
    "Visit": (2, "of a device, and of the demo"),
}
"""The same of classes."""


def _at_home(rooms: Iterable[str]) -> list[File]:
    return [file for file in files().values() if not file.path.startswith(tuple(rooms))]


def _twice(named: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: sorted(where) for name, where in named.items() if len(where) > 1}


def test_a_name_of_a_file_is_one_thing() -> None:
    assert [room for room in NAMED_AFTER if not (ROOT / room).is_dir()] == []
    named = defaultdict(list)
    for file in _at_home(NAMED_AFTER):
        named[file.path.rpartition("/")[2]].append(file.path)
    twice = {name: where for name, where in _twice(named).items() if name != "__init__.py"}
    assert {name: where for name, where in twice.items() if len(where) != SAME_FILES.get(name, (1,))[0]} == {}
    assert sorted(set(SAME_FILES) - set(twice)) == [], "one by now: take it out of the list"


def test_a_name_of_a_class_is_one_thing() -> None:
    named = defaultdict(list)
    for file in _at_home(["schemalogic/"]):
        for node in file.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named[node.name].append(file.path)
    twice = _twice(named)
    assert {name: where for name, where in twice.items() if len(where) != SAME_CLASSES.get(name, (1,))[0]} == {}
    assert sorted(set(SAME_CLASSES) - set(twice)) == [], "one by now: take it out of the list"


NOT_IMPORTED = {
    "pytz": "DuckDB imports it where a query returns TIMESTAMPTZ",
}
"""Dependencies that no file of the product imports by name, and why they are there."""


def test_every_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[<>=\[]", line)[0] for line in project["dependencies"]}
    modules = {name.split(".")[0] for file in files().values() for name in file.imports()}
    normal = {name: {_normal(one) for one in owners} for name, owners in packages_distributions().items()}
    used = {owner for module in modules for owner in normal.get(module, ())}
    assert {name for name in wanted if _normal(name) not in used} == set(NOT_IMPORTED)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_pages_that_messages_name_exist() -> None:
    """What a text of the product sends the reader to is there."""
    missing = [
        f"{file.path}:{node.lineno}: {page}"
        for file in files().values()
        for node in file.nodes(ast.Constant)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for page in re.findall(r"\bdocs/[\w/]+\.md\b", node.value)
        if not (ROOT / page).exists()
    ]
    assert missing == []


def test_where_things_go() -> None:
    """Every place that CONTRIBUTING sends a newcomer to is there."""
    section = (ROOT / "CONTRIBUTING.md").read_text().split("\n## Where things go\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    places = [place for row in rows for place in re.findall(r"`([\w./]+(?:/|\.\w+))`", row)]
    assert len(rows) >= 5
    assert places
    assert [place for place in places if not (ROOT / place).exists()] == []
