"""YAML 1.2 as a tree that remembers where everything stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from contracts.durations import duration_us
from contracts.problems import Problem, closest, listed
from contracts.synonyms import meanings

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_HINTS = {
    "mapping values are not allowed": "put a text with a colon in it into quotes",
    "'\\t'": "indent with blanks, not with tabs",
    "found undefined alias": "put a text that begins with * into quotes",
}
_DEPTH = 60
_NODES = 200_000


@dataclass(slots=True)
class Tree:
    """A value with its place: a scalar, a list of trees, or a dictionary of trees by key."""

    value: Any
    file: str
    line: int
    key: str

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: part.plain() for key, part in self.value.items()}
        return [part.plain() for part in self.value] if isinstance(self.value, list) else self.value

    def __iter__(self) -> Iterator[Tree]:
        if isinstance(self.value, dict):
            return iter(self.value.values())
        return iter(self.value if isinstance(self.value, list) else ())


def shown(value: object) -> str:
    """What was found, in words short enough for one line."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def unquoted(value: object) -> str:
    """The hint for a number that was put into quotes; empty for everything else."""
    return f"write {value} without quotes" if isinstance(value, str) and type(scalar(value)) in {int, float} else ""


class Reader:
    """Reads values out of trees; what is not as expected becomes a problem, and the default stands in."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self._count = 0

    def refuse(self, at: Tree, expected: str, found: str | None = None, hint: str = "") -> None:
        """Report a problem at a place of a file."""
        self.problems.append(Problem(at.file, at.line, at.key, expected, shown(at.value) if found is None else found, hint))

    def parse(self, file: str, text: str) -> Tree | None:
        """The tree of a file that must be a mapping; None if it cannot be read. An empty file is an empty mapping."""
        before = len(self.problems)
        self._count = 0
        try:
            node = YAML(typ="rt", pure=True).compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(str(part) for part in (error.context, error.problem) if part)
            hint = next((hint for words, hint in _HINTS.items() if words in what), "")
            self.problems.append(Problem(file, mark.line + 1 if mark else 1, "", "YAML 1.2", what, hint))
            return None
        except (YAMLError, RecursionError) as error:
            self.problems.append(Problem(file, 1, "", "YAML 1.2", str(error).splitlines()[0]))
            return None
        if node is None:
            return Tree({}, file, 1, "")
        tree = self._tree(node, file, node.start_mark.line + 1, "", 0)
        if not isinstance(tree.value, dict):
            self.refuse(tree, "a mapping, that is lines of `key: value`")
            return None
        return tree if len(self.problems) == before else None

    def _tree(self, node: Any, file: str, line: int, key: str, depth: int) -> Tree:
        tree = Tree(None, file, line, key)
        self._count += 1
        if depth > _DEPTH or self._count > _NODES:
            if not self.problems or self.problems[-1].expected != _TOO_BIG:
                self.refuse(tree, _TOO_BIG, "more")
        elif isinstance(node, ScalarNode):
            tree.value = _scalar(node)
        elif isinstance(node, SequenceNode):
            tree.value = [
                self._tree(part, file, max(part.start_mark.line + 1, line), f"{key}[{i}]", depth + 1) for i, part in enumerate(node.value)
            ]
        elif isinstance(node, MappingNode):
            tree.value = self._mapping(node, file, key, depth)
        return tree

    def _mapping(self, node: MappingNode, file: str, key: str, depth: int) -> dict[str, Tree]:
        parts: dict[str, Tree] = {}
        for name, part in node.value:
            at = name.start_mark.line + 1
            if not isinstance(name, ScalarNode):
                self.problems.append(Problem(file, at, key, "a text as key", "a list or mapping"))
                continue
            word = str(name.value)
            if word in parts:
                self.problems.append(
                    Problem(file, at, parts[word].key, "every key once", f"{word} again", f"the first one is in line {parts[word].line}")
                )
                continue
            parts[word] = self._tree(part, file, at, f"{key}.{word}" if key else word, depth + 1)
        return parts

    def mapping(self, at: Tree, expected: str = "a mapping, that is lines of `key: value`") -> dict[str, Tree]:
        """The parts of a mapping; anything else is a problem and ``{}``."""
        if isinstance(at.value, dict):
            return at.value
        self.refuse(at, expected)
        return {}

    def fields(self, at: Tree, known: Iterable[str], later: Mapping[str, str] | Iterable[str] = ()) -> dict[str, Tree]:
        """The known parts of a mapping; unknown keys are problems, those in ``later`` said to be not supported yet."""
        known = list(known)
        parts = self.mapping(at)
        for name, part in parts.items():
            if name in known:
                continue
            if name in later:
                self.refuse(part, f"one of the keys {listed(known)}", name, f"{name} is not supported yet")
            else:
                self.refuse(part, f"one of the keys {listed(known)}", name, closest(name, known))
        return {name: part for name, part in parts.items() if name in known}

    def required(self, at: Tree, parts: Mapping[str, Tree], name: str, expected: str) -> Tree | None:
        """The part of that name; a problem at the mapping itself if it is not there."""
        if name not in parts:
            self.problems.append(Problem(at.file, at.line, f"{at.key}.{name}" if at.key else name, expected, "nothing"))
        return parts.get(name)

    def items(self, at: Tree | None, expected: str = "a list") -> list[Tree]:
        """The items of a list; None is an empty one."""
        if at is None:
            return []
        if isinstance(at.value, list):
            return at.value
        self.refuse(at, expected)
        return []

    def text(self, at: Tree | None, default: str = "", expected: str = "a text") -> str:
        """A text that is not empty."""
        if at is None:
            return default
        if isinstance(at.value, str) and at.value.strip():
            return at.value
        self.refuse(at, expected)
        return default

    def texts(self, at: Tree | None, expected: str = "a text or a list of texts") -> list[Tree]:
        """The trees of one text or of a list of texts."""
        if at is None:
            return []
        found = at.value if isinstance(at.value, list) else [at]
        good = [part for part in found if isinstance(part.value, str) and part.value.strip()]
        if len(good) < len(found) or not found:
            self.refuse(next((part for part in found if part not in good), at), expected)
        return good

    def choice(self, at: Tree | None, options: Iterable[str], default: str) -> str:
        """One of the options."""
        options = list(options)
        if at is None:
            return default
        if at.value in options and isinstance(at.value, str):
            return at.value
        self.refuse(at, listed(options), None, closest(str(at.value), options))
        return default

    def boolean(self, at: Tree | None, default: bool = False) -> bool:
        """``true`` or ``false``."""
        if at is None:
            return default
        if isinstance(at.value, bool):
            return at.value
        said = {"granted": "true", "denied": "false"}.get(next(iter(meanings(str(at.value))), ""), "")
        self.refuse(at, "true or false", None, f"write {said}{' without quotes' if at.value == said else ''}" if said else "")
        return default

    def integer(self, at: Tree | None, default: int, least: int = 1) -> int:
        """A whole number, at least ``least``."""
        if at is None:
            return default
        if type(at.value) is int and at.value >= least:
            return at.value
        self.refuse(at, f"a whole number, at least {least}", None, unquoted(at.value))
        return default

    def duration(self, at: Tree | None, default_us: int) -> int:
        """A duration in microseconds."""
        return int(self.read(at, default_us, duration_us))

    def read(self, at: Tree | None, default: Any, how: Callable[[Any], Any]) -> Any:
        """What ``how`` makes of the value; its ValueError says what was expected."""
        if at is None:
            return default
        try:
            return how(at.value)
        except ValueError as error:
            self.refuse(at, str(error), None, getattr(error, "hint", ""))
            return default


_TOO_BIG = f"at most {_DEPTH} levels and {_NODES} values"


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    return text if node.style is not None or str(node.tag).endswith(":str") else scalar(text)


def scalar(text: str) -> Any:
    """What an unquoted text is in YAML 1.2: a boolean, nothing, a number, or the text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= 40:
        return int(text)
    if _FLOAT.fullmatch(text) and abs(float(text)) < float("inf"):
        return float(text)
    return text
