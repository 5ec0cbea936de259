"""What is wrong with a file that is no YAML, in words of who wrote it, and what to do about it."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

_FAULTS = (
    ("'\\t'", "a tab", "indent with blanks, not with tabs"),
    ("found undefined alias", "a text that begins with *", "put it into quotes"),
    ("but found '<scalar>'", "more text behind a quotation mark that closes", "put the whole text into quotes of the other kind"),
    ("expected <block end>", "a line that begins in another column than those it belongs to", "begin both in the same column"),
    ("found unexpected end of stream", "a quotation mark that is not closed", "close it"),
    ("'<stream end>'", "a bracket that is not closed", "close it"),
    ("found another document", "a second document behind `---`", "make a file of each"),
)  # fmt: skip
"""What the library says, what was found, and the cure."""
_SIGN = re.compile(r"found character '(.)' that cannot start any token")
_PAIR = re.compile(r"\s*(?:- +)*[^\s#{\[\"':]+:(?:\s+\S|\s*$)")


def yaml_fault(error: MarkedYAMLError, text: str) -> tuple[int, str, str]:
    """The line, counted from 1, what was found there, and a hint."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    what = " ".join(str(part) for part in (error.context, error.problem) if part)
    sign = _SIGN.search(what)
    if "mapping values are not allowed" in what:
        return line, *_second_colon(text.splitlines(), line)
    if sign and sign[1] != "\t":
        return line, f"a text that begins with {sign[1]}", "put it into quotes"
    for words, found, hint in _FAULTS:
        if words in what:
            # What is not closed is missed at the end; it is repaired where it begins.
            begins = error.context_mark if "not closed" in found and error.context_mark else None
            return begins.line + 1 if begins else line, found, hint
    return line, str(error.problem or error.context).removeprefix("found "), ""


def _second_colon(lines: list[str], line: int) -> tuple[str, str]:
    """A text with a colon in it, or a line that a blank too many makes part of the text above it."""
    here = lines[line - 1] if line <= len(lines) else ""
    above = next((one for one in reversed(lines[: line - 1]) if one.strip()), "")
    if _PAIR.match(above) and _PAIR.match(here) and _indent(here) > _indent(above):
        return "a line that begins further to the right than the one above", "begin both in the same column"
    return "a second colon in one line", "put a text with a colon in it into quotes"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
