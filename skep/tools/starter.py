"""`skep init`: a new project folder from the demo shop's contracts."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from contracts import load
from skep.project.errors import CommandError
from skep.tools.editor import schemas as editor

SKEP_YAML = """\
# The settings of this project; every one has an environment variable too (SKEP_HORIZON, SKEP_FOLLOW, …).
spaces: [shop]
data: data                  # state, archive, snapshot: everything that Skep writes
horizon: 30d                # how late an event may come
future_skew: 10m            # how far ahead of its arrival an event may claim to be
unknown_events: quarantine  # or accept
follow: false               # true: tail the files
sources:
  - name: events
    kind: jsonl
    path: events/*.jsonl
    space: shop
"""
README = """\
# A Skep project

1. Put events into `events/*.jsonl`, one JSON object a line, as a Segment SDK sends them. Or make some:
   `skep demo --people 100 --events 5000 --out events`; beside `skep run`, `skep demo --live 20 --out events` goes on with more of now.
2. `skep check` reads `contracts/` and says what is wrong, and where.
3. `skep run --once` takes the events in; then `skep status`, `skep profile show user_id:42`, `skep sql "select * from profiles limit 5"`.

4. After an edit in `contracts/`: `skep check`, `skep plan` says what it would do, `skep apply` puts it in force.

`contracts/` is yours: what events look like (`events/`), who is who (`identity.yaml`), what is remembered (`traits.yaml`),
who belongs where (`segments/`), what people agreed to (`consent.yaml`), what sources must keep (`quality.yaml`),
who is told (`destinations/`).
Its YAML files name their schema (`.skep/schemas/`, kept up to date by `skep check`) in the first line, for completion in your editor.
`skep catalog` shows all of it with its figures, and writes it to `data/catalog/` as pages.

`views/` is for SQL of your own: `views/NAME.sql`, one SELECT, is the view `views.NAME` of each snapshot.
"""
GITIGNORE = "/data/\n"
SUFFIXES = (".yaml", ".json", ".csv", ".md")


def create(folder: Path) -> list[Path]:
    """Make a project in ``folder``, which may hold files but no project; returns the files written."""
    if (folder / "skep.yaml").exists() or (folder / "contracts").exists():
        raise CommandError(f"{folder}: expected a folder without skep.yaml and contracts/, found a project there → name another folder")
    texts = {Path("skep.yaml"): SKEP_YAML, Path(".gitignore"): GITIGNORE, Path("README.md"): README}
    shop = shop_contracts()
    texts |= {Path("contracts") / path: text for path, text in shop.items()}
    texts = {path: editor.with_modeline(PurePosixPath(path), text) for path, text in texts.items()}
    known = editor.schemas(load({path.as_posix(): text for path, text in shop.items() if path.name != "README.md"}))
    texts |= {Path(editor.PLACE) / f"{name}.json": editor.schema_text(schema) for name, schema in known.items()}
    written = []
    for path, text in texts.items():
        if (folder / path).exists():
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
        written.append(path)
    (folder / "events").mkdir(exist_ok=True)
    return written


def shop_contracts() -> dict[Path, str]:
    """The demo shop's contracts as they come with Skep: path below ``contracts/`` → text."""
    return dict(sorted(_data_files(files("contracts"), Path()).items()))


def _data_files(folder: Traversable, at: Path) -> dict[Path, str]:
    found: dict[Path, str] = {}
    for entry in folder.iterdir():
        if entry.name.startswith((".", "__")):
            continue
        if entry.is_dir():
            found |= _data_files(entry, at / entry.name)
        elif entry.name.endswith(SUFFIXES):
            found[at / entry.name] = entry.read_text(encoding="utf-8")
    return found
