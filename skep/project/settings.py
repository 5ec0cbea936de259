"""``skep.yaml`` and the environment: how a project is run. Plain when a command starts, never at import."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import contracts
from connectors.sources.kafka.spec import KafkaSpec
from contracts.model.definitions import DAY_US, Definitions, SourceKind
from contracts.text.keys import Boolean, Duration, Fields, Integer, Key
from contracts.text.problems import ContractErrors, Problem, choices, closest
from contracts.text.scalars import scalar
from contracts.text.yaml_tree import Reader, Tree
from skep.project.kept_lists import with_hashes
from skep.project.keys import KAFKA, LEAVES, NAME, OF_FILES, SETTINGS, SOURCE, VARIABLES

FILE = "skep.yaml"
_NAME = re.compile(NAME)
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_SECOND_US = 1_000_000
_PATH = "a file, folder or glob, relative to the project folder"


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Where events come from: ``path`` is a file, a folder or a glob, absolute, or empty where topics of ``kafka`` are read;
    ``mapping`` a file of contracts/sources/.

    ``history``: what was written down before it is read, so that none of it is late.
    """

    name: str
    kind: SourceKind
    path: str
    space: str
    mapping: str | None = None
    history: bool = False
    changed: Literal["stop", "reread"] = "stop"
    """What becomes of a file that no longer begins with what was read of it."""
    kafka: KafkaSpec | None = None

    def place(self, root: Path) -> str:
        """Where it is, as the project's people know it."""
        if self.kafka is not None:
            return self.kafka.place
        return str(Path(self.path).relative_to(root)) if Path(self.path).is_relative_to(root) else self.path


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that ``skep.yaml`` and ``SKEP_…`` variables say (`SETTINGS` has the defaults); durations in microseconds."""

    root: Path
    spaces: tuple[str, ...]
    data: Path
    horizon_us: int
    future_skew_us: int
    unknown_events: Literal["quarantine", "accept"]
    formats: Literal["annotate", "assert"]
    apply: Literal["by_command", "on_start"]
    """When edits of contracts/ are put in force: by `skep apply` alone, or whenever a flow starts."""
    follow: bool
    sources: tuple[SourceSettings, ...]
    batch_size: int
    registry: str = field(repr=False)
    secret: str = field(repr=False)
    max_event_bytes: int
    sync: bool
    cache_mb: int
    repair_moments: int
    archive_rows: int
    archive_interval_us: int
    snapshot_personal: Literal["hash", "clear"]
    snapshot_interval_us: int
    snapshot_storage: Literal["v1.2.0", "v1.4.0", "latest"]
    log: Literal["console", "json"]
    lines: dict[str, int] = field(repr=False)
    """Where a key stands in ``skep.yaml``, for problems that are found later."""

    @classmethod
    def load(cls, project: Path | None = None, **overrides: Any) -> Settings:
        """The settings of ``project``, else of ``SKEP_PROJECT``, else of the current folder.

        A variable wins over the file, an override over both; an override of None counts as none. Overrides are
        fields of this class and ``source_path``. Raises `ContractErrors`.
        """
        root = (project or Path(os.environ.get("SKEP_PROJECT") or ".")).expanduser().resolve()
        problems: list[Problem] = []
        reader = Reader(problems)
        fields = _fields(reader, root)
        if problems:
            raise ContractErrors(problems)
        return cls(**_overridden(fields, root, overrides))


OTHER_VARIABLES = ("project", "log_level", "user", "project_dir", "compiled", "wait_s")
"""Variables that are no settings; `project_dir` is of docker/compose.yaml."""


def _environment() -> dict[str, str]:
    """What variables say, by key; an empty one says nothing."""
    said = {key: os.environ.get(f"SKEP_{key.upper()}", "") for key in VARIABLES}
    return {key: text for key, text in said.items() if text}


def _fields(reader: Reader, root: Path) -> dict[str, Any]:
    parts = _file_parts(reader, root)
    lines = {key: part.line for key, part in parts.items()}
    reader.problems += _unread_variables()
    said = _environment()
    path = said.pop("source_path", None)
    for key, text in said.items():
        _put(parts, key, _variable(key, text))
    found = SETTINGS.values(reader, None, parts)
    fields = {name: value for key in SETTINGS.keys for name, value in _named(key, found[key.name])}
    sources = _sources(reader, found["sources"], root, found["spaces"])
    return {
        **fields,
        "root": root,
        "lines": lines,
        "data": root / found["data"],
        "sources": sources if path is None else _with_path(sources, root, path),
    }


def _named(key: Key, value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Fields of `Settings` that a key makes: those of ``archive`` and ``snapshot`` as ``archive_rows`` and so on."""
    if isinstance(key.kind, Fields):
        for inner in key.kind.keys:
            yield from _named(inner, value[inner.name], f"{key.name}_")
    else:
        yield f"{prefix}{key.name}{'_us' if isinstance(key.kind, Duration) else ''}", value


def _put(parts: dict[str, Tree], name: str, at: Tree) -> None:
    """A variable in the place of what the file says."""
    outer = LEAVES[name].outer
    if not outer:
        parts[name] = at
    elif isinstance(parts.setdefault(outer, Tree({}, at.file, 0, at.key)).value, dict):
        parts[outer].value[LEAVES[name].key.name] = at


def _unread_variables() -> list[Problem]:
    """Variables that look like settings and are none: what somebody meant by them would be silently as it is without them."""
    known = [f"SKEP_{key.upper()}" for key in (*VARIABLES, *OTHER_VARIABLES)]
    return [
        Problem("environment", 0, name, "a variable that Skep reads", "one that it does not", closest(name, known) or "unset it")
        for name in sorted(os.environ)
        if name.startswith("SKEP_") and name not in known
    ]


def _file_parts(reader: Reader, root: Path) -> dict[str, Tree]:
    """The keys of the file."""
    try:
        text = (root / FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = f"none in {root}" if isinstance(error, FileNotFoundError | NotADirectoryError) else str(error)
        hint = "`skep init DIR` makes a project; `--project DIR` or SKEP_PROJECT picks one"
        raise ContractErrors([Problem(FILE, 1, "", "a project folder with a readable skep.yaml", found, hint)]) from None
    tree = reader.parse(FILE, text)
    return SETTINGS.parts(reader, tree) if tree is not None else {}


def _variable(name: str, text: str) -> Tree:
    at = Tree(text, "environment", 0, f"SKEP_{name.upper()}")
    kind = LEAVES[name].key.kind
    if name == "spaces":
        at.value = [Tree(part.strip(), at.file, 0, at.key) for part in text.split(",")]
    elif isinstance(kind, Boolean):
        at.value = _FLAGS.get(text.strip().lower(), text)
    elif isinstance(kind, Integer):
        at.value = scalar(text.strip())
    return at


def _sources(reader: Reader, at: Tree | None, root: Path, spaces: tuple[str, ...]) -> tuple[SourceSettings, ...]:
    found: dict[str, SourceSettings] = {}
    for item in reader.items(at, "a list of sources"):
        before = len(reader.problems)
        parts = SOURCE.parts(reader, item)
        said = SOURCE.values(reader, item, parts)
        name = said["name"]
        said["space"] = reader.choice(said["space"], spaces, spaces[0])
        kafka = _kafka(reader, item, parts, said["kind"])
        if kafka is None:
            said["path"] = reader.text(reader.required(item, parts, "path", _PATH), expected=_PATH)
            said["mapping"] = _mapping(reader, item, said["mapping"], said["kind"])
            said["history"] = _history(reader, said["history"], said["kind"])
        if name and not _NAME.fullmatch(name):
            reader.refuse(parts["name"], "a name of small letters, digits, `_` and `-`")
        elif name in found:
            reader.refuse(parts["name"], "every source once", f"{name} again")
        if len(reader.problems) == before:
            of_files = {key: said[key] for key in OF_FILES} if kafka is None else {"path": ""}
            if kafka is None:
                of_files["path"] = str(root / Path(said["path"]).expanduser())
            found[name] = SourceSettings(**{key: said[key] for key in ("name", "kind", "space")}, **of_files, kafka=kafka)
    return tuple(found.values())


def _kafka(reader: Reader, item: Tree, parts: dict[str, Tree], kind: str) -> KafkaSpec | None:
    """What a source says of its topics; None for files."""
    if kind != "kafka":
        for name in KAFKA.names:
            if name in parts:
                reader.refuse(parts[name], f"no `{name}`: only `kind: kafka` has one", name)
        return None
    for name in OF_FILES:
        if name in parts:
            reader.refuse(parts[name], f"no `{name}`: only files have one", name)
    said = KAFKA.values(reader, item, parts)
    return KafkaSpec(said["servers"], said["topics"] or (), said["start"], said["config"] or {}, said["wait"])


def _mapping(reader: Reader, item: Tree, at: Tree | None, kind: str) -> str | None:
    """The mapping's name; ``contracts/sources/x.yaml`` and ``x.yaml`` mean ``x``."""
    expected = "the name of a file in contracts/sources/"
    if kind == "jsonl":
        if at is not None:
            reader.refuse(at, "no mapping: JSON lines are events already")
        return None
    text = reader.text(reader.required(item, {} if at is None else {"mapping": at}, "mapping", expected), expected=expected)
    return Path(text).name.removesuffix(".yaml") or None


def _history(reader: Reader, at: Tree | None, kind: str) -> bool:
    """What a source is, if it says so; rows of a file were written down before it is read."""
    told = reader.boolean(at)
    if kind == "jsonl" or at is None:
        return told or kind != "jsonl"
    if at.value is False:
        reader.refuse(at, "true, or nothing: every CSV and Parquet file is history")
    return True


def _with_path(sources: tuple[SourceSettings, ...], root: Path, path: str | Path) -> tuple[SourceSettings, ...]:
    if sources and sources[0].kafka is not None:
        raise ContractErrors(
            [Problem("environment", 0, "SKEP_SOURCE_PATH", "a first source that reads files", f"{sources[0].name} of Kafka")]
        )
    return tuple(one if at else dataclasses.replace(one, path=str(root / Path(path).expanduser())) for at, one in enumerate(sources))


def _overridden(fields: dict[str, Any], root: Path, overrides: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in overrides.items() if value is not None}
    unknown = set(given) - {one.name for one in dataclasses.fields(Settings)} - {"source_path"}
    if unknown:
        raise TypeError(f"no settings: {', '.join(sorted(unknown))}")
    if "source_path" in given:
        fields["sources"] = _with_path(fields["sources"], root, given.pop("source_path"))
    if "data" in given:
        given["data"] = root / given["data"]
    return {**fields, **given}


def load_definitions(settings: Settings) -> Definitions:
    """The project's contracts, checked also against its settings. Raises `ContractErrors`."""
    return definitions_of(settings, files_of(settings))


def files_of(settings: Settings) -> dict[str, str]:
    """The texts of the project's contracts, as they are kept. Raises `ContractErrors` for a file that may not be there or is no text."""
    return as_kept(settings, written_files(settings))


def written_files(settings: Settings) -> dict[str, str]:
    """The same as they are written."""
    return contracts.read_files(settings.root / "contracts", unknown_events_ok=settings.unknown_events == "accept")


def as_kept(settings: Settings, files: dict[str, str]) -> dict[str, str]:
    """The texts of contracts with hashes in the place of personal values of lists, where the snapshot has hashes, too."""
    return files if settings.snapshot_personal == "clear" else with_hashes(files, settings.secret, settings.spaces)


def definitions_of(settings: Settings, files: dict[str, str]) -> Definitions:
    """What these texts mean, checked also against the settings. Raises `ContractErrors`."""
    definitions = contracts.load(files, unknown_events_ok=settings.unknown_events == "accept")
    checks = (horizon_problems, _mapping_problems, _source_problems)
    problems = [problem for check in checks for problem in check(settings, definitions)]
    if problems:
        raise ContractErrors(problems)
    return definitions


def horizon_problems(settings: Settings, definitions: Definitions) -> list[Problem]:
    """What is wrong with the setting ``horizon`` beside these definitions."""
    backstitch_us = definitions.identity.backstitch_us
    if settings.horizon_us >= backstitch_us:
        return []
    expected = f"at least the backstitch of contracts/identity.yaml, {_in_seconds(backstitch_us)}"
    line = settings.lines.get("horizon", 1)
    return [Problem(FILE, line, "horizon", expected, _in_seconds(settings.horizon_us), "raise horizon, or lower stitching.backstitch")]


def _in_seconds(value_us: int) -> str:
    return f"{value_us // DAY_US}d" if value_us % DAY_US == 0 else f"{value_us / _SECOND_US:g}s"


def _source_problems(settings: Settings, definitions: Definitions) -> list[Problem]:
    """Expectations of a source that there is not would never be looked at."""
    names = [source.name for source in settings.sources]
    unknown = {one.source: one for one in reversed(definitions.expectations) if one.source and names and one.source not in names}
    return [
        Problem(one.file, one.line, "expectations.source", f"the name of a source in {FILE}", name, choices(name, names))
        for name, one in unknown.items()
    ]


def _mapping_problems(settings: Settings, definitions: Definitions) -> list[Problem]:
    names = tuple(definitions.mappings)
    return [
        Problem(FILE, settings.lines.get("sources", 1), f"sources.{source.name}.mapping", "the name of a file in contracts/sources/",
                source.mapping, choices(source.mapping, names))
        for source in settings.sources
        if source.mapping is not None and source.mapping not in definitions.mappings
    ]  # fmt: skip
