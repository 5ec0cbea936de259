"""``skep.yaml`` and the environment: how a project is run. Read when a command starts, never at import."""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import contracts
from contracts.model.definitions import DAY_US, Definitions
from contracts.model.hashing import DEFAULT_SECRET
from contracts.text.problems import ContractErrors, Problem, choices, closest
from contracts.text.scalars import scalar
from contracts.text.yaml_tree import Reader, Tree

FILE = "skep.yaml"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_SECOND_US = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Where events come from: ``path`` is a file, a folder or a glob, absolute; ``mapping`` a file of contracts/sources/.

    ``history``: what was written down before it is read, so that none of it is late.
    """

    name: str
    kind: Literal["jsonl", "csv", "parquet"]
    path: str
    space: str
    mapping: str | None = None
    history: bool = False
    changed: Literal["stop", "reread"] = "stop"
    """What becomes of a file that no longer begins with what was read of it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that ``skep.yaml`` and ``SKEP_…`` variables say; durations in microseconds."""

    root: Path
    spaces: tuple[str, ...] = ("shop",)
    data: Path
    horizon_us: int = 30 * DAY_US
    future_skew_us: int = 600 * _SECOND_US
    unknown_events: Literal["quarantine", "accept"] = "quarantine"
    formats: Literal["annotate", "assert"] = "annotate"
    apply: Literal["by_command", "on_start"] = "by_command"
    """When edits of contracts/ are put in force: by `skep apply` alone, or whenever a flow starts."""
    follow: bool = False
    sources: tuple[SourceSettings, ...] = ()
    batch_size: int = 2000
    registry: str = field(default="", repr=False)
    secret: str = field(default=DEFAULT_SECRET, repr=False)
    max_event_bytes: int = 1_000_000
    sync: bool = False
    cache_mb: int = 512
    archive_rows: int = 100_000
    archive_interval_us: int = 10 * _SECOND_US
    snapshot_personal: Literal["hash", "clear"] = "hash"
    snapshot_interval_us: int = 60 * _SECOND_US
    snapshot_storage: Literal["v1.2.0", "v1.4.0", "latest"] = "v1.2.0"
    log: Literal["console", "json"] = "console"
    lines: dict[str, int] = field(default_factory=dict, repr=False)
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


VARIABLES = (
    "data", "spaces", "horizon", "future_skew", "unknown_events", "formats", "apply", "follow", "batch_size", "source_path", "registry",
    "secret", "max_event_bytes", "sync", "cache_mb", "archive_rows", "archive_interval", "snapshot_personal", "snapshot_interval",
    "snapshot_storage", "log",
)  # fmt: skip
"""Settings that a variable of this name in capitals, behind ``SKEP_``, says."""


OTHER_VARIABLES = ("project", "log_level", "user", "project_dir")
"""Variables that are no settings; the last is of docker/compose.yaml."""


def default(key: str) -> Any:
    """What a field of `Settings` is if nothing says it."""
    return next(one.default for one in dataclasses.fields(Settings) if one.name == key)


def _environment() -> dict[str, str]:
    """What variables say, by key; an empty one says nothing."""
    said = {key: os.environ.get(f"SKEP_{key.upper()}", "") for key in VARIABLES}
    return {key: text for key, text in said.items() if text}


_KEYS = (
    "spaces", "data", "horizon", "future_skew", "unknown_events", "formats", "apply", "follow", "sources", "batch_size", "registry",
    "secret", "max_event_bytes", "sync", "cache_mb", "archive", "snapshot", "log",
)  # fmt: skip
_CHOICES = {
    "unknown_events": ("quarantine", "accept"),
    "formats": ("annotate", "assert"),
    "apply": ("by_command", "on_start"),
    "snapshot_personal": ("hash", "clear"),
    "snapshot_storage": ("v1.2.0", "v1.4.0", "latest"),
    "log": ("console", "json"),
}
_NESTED = {"archive": ("rows", "interval"), "snapshot": ("personal", "interval", "storage")}


def _fields(reader: Reader, root: Path) -> dict[str, Any]:
    parts = _file_parts(reader, root)
    lines = {key: part.line for key, part in parts.items() if part.file == FILE}
    reader.problems += _unread_variables()
    parts |= {key: _variable(key, text) for key, text in _environment().items()}
    spaces = _spaces(reader, parts.get("spaces"))
    fields: dict[str, Any] = {"root": root, "spaces": spaces, "lines": lines}
    fields["data"] = root / reader.text(parts.get("data"), "data", "a folder, relative to the project folder")
    fields["sources"] = _sources(reader, parts.get("sources"), root, spaces)
    if "source_path" in parts:
        fields["sources"] = _with_path(fields["sources"], root, parts["source_path"].value)
    for key, least in (("batch_size", 1), ("max_event_bytes", 100), ("cache_mb", 8), ("archive_rows", 1)):
        fields[key] = reader.integer(parts.get(key), default(key), least)
    for key in ("horizon", "future_skew", "archive_interval", "snapshot_interval"):
        fields[f"{key}_us"] = reader.duration(parts.get(key), default(f"{key}_us"))
    for key, options in _CHOICES.items():
        fields[key] = reader.choice(parts.get(key), options, default(key))
    for key in ("follow", "sync"):
        fields[key] = reader.boolean(parts.get(key))
    fields["registry"] = reader.read(parts.get("registry"), "", _url)
    fields["secret"] = reader.text(parts.get("secret"), DEFAULT_SECRET, "a text of your own, in quotes if it is a number")
    return fields


def _unread_variables() -> list[Problem]:
    """Variables that look like settings and are none: what somebody meant by them would be silently as it is without them."""
    known = [f"SKEP_{key.upper()}" for key in (*VARIABLES, *OTHER_VARIABLES)]
    return [
        Problem("environment", 0, name, "a variable that Skep reads", "one that it does not", closest(name, known) or "unset it")
        for name in sorted(os.environ)
        if name.startswith("SKEP_") and name not in known
    ]


def _url(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"https?://[^\s/]+\S*", value):
        return value
    raise ValueError("the address of a schema registry such as http://localhost:8081")


def _file_parts(reader: Reader, root: Path) -> dict[str, Tree]:
    """The keys of the file; those of ``archive`` and ``snapshot`` as ``archive_rows`` and so on."""
    try:
        text = (root / FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = f"none in {root}" if isinstance(error, FileNotFoundError | NotADirectoryError) else str(error)
        hint = "`skep init DIR` makes a project; `--project DIR` or SKEP_PROJECT picks one"
        raise ContractErrors([Problem(FILE, 1, "", "a project folder with a readable skep.yaml", found, hint)]) from None
    tree = reader.parse(FILE, text)
    parts = reader.fields(tree, _KEYS) if tree is not None else {}
    for key, inner in _NESTED.items():
        if key in parts:
            parts |= {f"{key}_{name}": part for name, part in reader.fields(parts.pop(key), inner).items()}
    return parts


def _variable(key: str, text: str) -> Tree:
    at = Tree(text, "environment", 0, f"SKEP_{key.upper()}")
    if key == "spaces":
        at.value = [Tree(part.strip(), at.file, 0, at.key) for part in text.split(",")]
    elif key in {"follow", "sync"}:
        at.value = _FLAGS.get(text.strip().lower(), text)
    elif key in {"batch_size", "max_event_bytes", "cache_mb", "archive_rows"}:
        at.value = scalar(text.strip())
    return at


def _spaces(reader: Reader, at: Tree | None) -> tuple[str, ...]:
    if at is None:
        return ("shop",)
    names = []
    for item in reader.items(at, "a list of spaces such as [shop]"):
        if isinstance(item.value, str) and _NAME.fullmatch(item.value) and item.value not in names:
            names.append(item.value)
        else:
            reader.refuse(item, "a name of small letters, digits, `_` and `-`, once")
    if not names and isinstance(at.value, list) and not at.value:
        reader.refuse(at, "at least one space", "an empty list")
    return tuple(names) or ("shop",)


def _sources(reader: Reader, at: Tree | None, root: Path, spaces: tuple[str, ...]) -> tuple[SourceSettings, ...]:
    found: dict[str, SourceSettings] = {}
    for item in reader.items(at, "a list of sources"):
        before = len(reader.problems)
        parts = reader.fields(item, ("name", "kind", "path", "mapping", "space", "history", "changed"))
        name = reader.text(reader.required(item, parts, "name", "the name of the source"))
        kind: Any = reader.choice(reader.required(item, parts, "kind", "jsonl, csv or parquet"), ("jsonl", "csv", "parquet"), "jsonl")
        path = reader.text(reader.required(item, parts, "path", "a file, folder or glob, relative to the project folder"))
        space = reader.choice(parts.get("space"), spaces, spaces[0])
        mapping = _mapping(reader, item, parts, kind)
        history = _history(reader, parts.get("history"), kind)
        changed: Any = reader.choice(parts.get("changed"), ("stop", "reread"), "stop")
        if name and not _NAME.fullmatch(name):
            reader.refuse(parts["name"], "a name of small letters, digits, `_` and `-`")
        elif name in found:
            reader.refuse(parts["name"], "every source once", f"{name} again")
        if len(reader.problems) == before:
            place = str(root / Path(path).expanduser())
            found[name] = SourceSettings(name=name, kind=kind, path=place, space=space, mapping=mapping, history=history, changed=changed)
    return tuple(found.values())


def _mapping(reader: Reader, item: Tree, parts: dict[str, Tree], kind: str) -> str | None:
    """The mapping's name; ``contracts/sources/x.yaml`` and ``x.yaml`` mean ``x``."""
    if kind == "jsonl":
        if "mapping" in parts:
            reader.refuse(parts["mapping"], "no mapping: JSON lines are events already")
        return None
    at = reader.required(item, parts, "mapping", "the name of a file in contracts/sources/")
    text = reader.text(at, expected="the name of a file in contracts/sources/")
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
    """The texts of the project's contracts. Raises `ContractErrors` for a file that may not be there or is no text."""
    return contracts.read_files(settings.root / "contracts", unknown_events_ok=settings.unknown_events == "accept")


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
