"""YAML 1.2 as a tree that remembers where everything stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from contracts.text.durations import duration_us
from contracts.text.problems import Problem, closest, listed
from contracts.text.scalars import scalar, stray, unquoted
from contracts.text.synonyms import meanings
from contracts.text.yaml_faults import yaml_fault

_DEPTH = 200
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


class Reader:
    """Reads values out of trees; what is not as expected becomes a problem, and the default stands in."""

    def __init__(self, problems: list[Problem], *, in_force: bool = False) -> None:
        """``in_force``: the files are, so what an older version let pass is no problem."""
        self.problems = problems
        self.in_force = in_force
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
            line, found, hint = yaml_fault(error, text)
            self.problems.append(Problem(file, line, "", "YAML 1.2", found, hint))
            return None
        except RecursionError:
            self.problems.append(Problem(file, 1, "", _TOO_BIG, "more"))
            return None
        except YAMLError as error:
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
            self._check_text(tree, node)
        elif isinstance(node, SequenceNode):
            tree.value = [
                self._tree(part, file, max(part.start_mark.line + 1, line), f"{key}[{i}]", depth + 1) for i, part in enumerate(node.value)
            ]
        elif isinstance(node, MappingNode):
            tree.value = self._mapping(node, file, key, depth)
        return tree

    def _check_text(self, at: Tree, node: ScalarNode) -> None:
        """A problem if a text is none of UTF-8, or, unquoted, has marks that its author does not take to be part of it."""
        if self.in_force:
            return
        text = str(node.value)
        hint = "" if node.style is not None else stray(text)
        if hint:
            self.refuse(at, "a text as it is typed", None, hint)
        elif not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            self.refuse(at, "a text that can be written in UTF-8", ascii(text), "half of a surrogate pair is no character")

    def _mapping(self, node: MappingNode, file: str, key: str, depth: int) -> dict[str, Tree]:
        parts: dict[str, Tree] = {}
        twice: list[Problem] = []
        for name, part in node.value:
            at = name.start_mark.line + 1
            if not isinstance(name, ScalarNode):
                self.problems.append(Problem(file, at, key, "a text as key", "a list or mapping"))
                continue
            word = str(name.value)
            if word in parts:
                twice.append(Problem(file, at, parts[word].key, "every key once", f"{word} again", self._first(parts[word], key)))
                continue
            self._check_text(Tree(word, file, at, key), name)
            parts[word] = self._tree(part, file, at, f"{key}.{word}" if key else word, depth + 1)
        # An item that does not begin with a hyphen has all its keys again.
        self.problems += twice[:1] if key.endswith("]") else twice
        return parts

    @staticmethod
    def _first(at: Tree, key: str) -> str:
        again = "; begin another item with `- `" if key.endswith("]") else ""
        return f"the first one is in line {at.line}{again}"

    def mapping(self, at: Tree, expected: str = "a mapping, that is lines of `key: value`") -> dict[str, Tree]:
        """The parts of a mapping; anything else is a problem and ``{}``."""
        if isinstance(at.value, dict):
            return at.value
        self.refuse(at, expected)
        return {}

    def fields(self, at: Tree, known: Iterable[str], later: Mapping[str, str] | Iterable[str] = (), beside: str = "") -> dict[str, Tree]:
        """The known parts of a mapping; unknown keys are problems.

        ``later``: keys that are not supported yet, or what is said of each of them.

        ``beside``: what is said of an unknown key that is near to none of them.
        """
        known = list(known)
        parts = self.mapping(at)
        for name, part in parts.items():
            if name in known:
                continue
            if name in later:
                said = later[name] if isinstance(later, Mapping) else f"{name} is not supported yet"
                self.refuse(part, f"one of the keys {listed(known)}", name, said)
            else:
                self.refuse(part, f"one of the keys {listed(known)}", name, closest(name, known) or beside)
        return {name: part for name, part in parts.items() if name in known}

    def required(self, at: Tree, parts: Mapping[str, Tree], name: str, expected: str) -> Tree | None:
        """The part of that name; a problem at the mapping itself if it is not there and no word was refused that means it."""
        if name not in parts and not (isinstance(at.value, dict) and any(self._meant(part, name) for part in at.value.values())):
            self.problems.append(Problem(at.file, at.line, f"{at.key}.{name}" if at.key else name, expected, "nothing"))
        return parts.get(name)

    def _meant(self, part: Tree, name: str) -> bool:
        meant = (part.file, part.line, part.key, f"did you mean {name}?")
        return any((one.file, one.line, one.key, one.hint) == meant for one in self.problems)

    def items(self, at: Tree | None, expected: str = "a list") -> list[Tree]:
        """The items of a list; None is an empty one."""
        if at is None:
            return []
        if isinstance(at.value, list):
            return at.value
        single = isinstance(at.value, str) and at.value and not set(at.value) & set("[]{}:#\"'")
        self.refuse(at, expected, None, f"write [{at.value}]" if single else "")
        return []

    def text(self, at: Tree | None, default: str = "", expected: str = "a text") -> str:
        """A text that is not empty."""
        if at is None:
            return default
        if isinstance(at.value, str) and at.value.strip():
            return at.value
        number = type(at.value) in {int, float} and expected == "a text"
        self.refuse(at, expected, None, f'write "{at.value}" in quotes' if number else "")
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
        whole = isinstance(at.value, float) and at.value.is_integer()
        self.refuse(at, f"a whole number, at least {least}", None, f"write {at.value:.0f}" if whole else unquoted(at.value))
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
