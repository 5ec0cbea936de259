"""The catalog as static pages: plain HTML that needs no server, an index with a search, one page for each entry."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from skep.answers.catalog.entries import KINDS, Catalog, Entry
from skep.answers.catalog.words import plural, share, short_time
from skep.project.terminal import visible

MARK = '<meta name="generator" content="skep catalog">'
"""What tells the catalog's own pages from other files of the folder."""
_SAFE = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_PAGE = re.compile(rf"({'|'.join(KINDS).replace(' ', '-')})-.*\.html")


def write_pages(catalog: Catalog, folder: Path) -> list[Path]:
    """Write ``index.html`` and a page for each entry; pages of entries that are gone are removed. Returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = render(catalog)
    for path in sorted(folder.glob("*.html")):
        if _PAGE.fullmatch(path.name) and path.name not in texts and MARK in path.read_text(encoding="utf-8", errors="replace")[:1000]:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def render(catalog: Catalog) -> dict[str, str]:
    """File name → HTML. The same catalog gives the same pages."""
    environment = Environment(
        loader=PackageLoader("skep.answers.catalog"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )  # fmt: skip
    environment.filters |= {"share": share, "time": short_time, "json": _json, "plural": plural}
    environment.globals |= {"page_of": page_name, "known": {(entry.kind, entry.name) for entry in catalog.entries}, "catalog": catalog}
    pages = {"index.html": environment.get_template("index.html").render(kinds=KINDS)}
    entry_page = environment.get_template("entry.html")
    return pages | {page_name(entry.kind, entry.name): entry_page.render(entry=entry, way=_way(entry)) for entry in catalog.entries}


def page_name(kind: str, name: str) -> str:
    """The file of an entry's page; names that are no file names, also too long ones and two that differ in case alone, get a digest."""
    kind = kind.replace(" ", "-")
    if _SAFE.fullmatch(name):
        return f"{kind}-{name}.html"
    plain = re.sub(r"[^a-z0-9_-]+", "-", name.lower())[:60]
    return f"{kind}-{plain}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.html"


def _way(entry: Entry) -> list[tuple[str, dict[str, list[str]]]]:
    """The picture of the lineage: what it rests on, itself, who uses it."""
    itself: dict[str, list[str]] = {entry.kind: [entry.name]}
    return [(word, part) for word, part in (("rests on", entry.rests_on), ("", itself), ("is used by", entry.used_by)) if part]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
