"""`skep rollback`: definitions that were in force before, and the files of contracts/ as they were then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from contracts.text.problems import ContractErrors
from skep.project.apply import Applied, AppliedRow, apply
from skep.project.apply import row as applied_row
from skep.project.definitions import declared, kept_files
from skep.project.errors import CommandError
from skep.project.in_force import ChangedFile, changed_files, differences
from skep.project.settings import Settings, definitions_of, files_of
from skep.project.spaces import control_path, definitions_path
from state.files import remove, replace


@dataclass(frozen=True, slots=True)
class RolledBack:
    """``files``: what was written below contracts/, as ``(path, added | changed | removed)``; ``spaces``: what came of it in each."""

    digest: str
    files: list[tuple[str, str]]
    spaces: list[Applied]


def rollback(settings: Settings, spaces: tuple[str, ...], to: str | None = None, *, why: str = "", force: bool = False) -> RolledBack:
    """Put the definitions before the last change, or those that ``to`` begins, back in force in these spaces.

    The files come first: a crash behind them leaves what the next `rollback` or `apply` finishes. Refuses if
    contracts/ holds what was never in force and would be lost, unless ``force``.
    """
    histories = {space: _digests(settings, space) for space in spaces}
    digest = _target(histories, to)
    files = kept_files(settings, digest)
    if not files:
        raise CommandError(f"the definitions {digest} were in force but {definitions_path(settings, digest)} is not there: restore it")
    definitions_of(settings, files)
    now = _on_disk(settings)
    ever = {one for space in settings.spaces for one in _digests(settings, space)}
    changed = differences(now, files)
    if changed and not force and not any(kept_files(settings, one) == now for one in ever):
        lost = ", ".join(f"contracts/{path}" for path, _ in changed)
        hint = "`skep apply` them first, or `--force`: what differs is then overwritten"
        raise CommandError(f"contracts/ has changes that were never in force ({lost}) → {hint}")
    _restore(settings.root / "contracts", files, changed)
    said = {"rollback": True, "why": why}
    return RolledBack(digest, changed, apply(settings, spaces, said))


def _digests(settings: Settings, space: str) -> list[str]:
    return [entry["digest"] for entry in declared(control_path(settings, space))]


def _target(histories: dict[str, list[str]], to: str | None) -> str:
    """The one digest to go back to in all of the spaces."""
    if to is not None:
        found = {digest for history in histories.values() for digest in history if digest.startswith(to)}
        missing = [space for space, history in histories.items() if not any(digest.startswith(to) for digest in history)]
        if len(found) != 1 or missing:
            said = f"in {', '.join(missing)}: none" if missing else ", ".join(sorted(found))
            raise CommandError(f"--to: expected the beginning of a digest that was in force, found {to} ({said}) → `skep audit` lists them")
        return found.pop()
    targets: dict[str, list[str]] = {}
    for space, history in histories.items():
        before = next((digest for digest in reversed(history) if digest != history[-1]), None)
        if before is None:
            raise CommandError(f"space {space}: there is nothing to go back to; its definitions have never changed")
        targets.setdefault(before, []).append(space)
    if len(targets) > 1:
        said = ", ".join(f"{digest} ({' '.join(spaces)})" for digest, spaces in targets.items())
        raise CommandError(f"the spaces had different definitions before: {said} → say which: --to DIGEST, or of one space: --space")
    return next(iter(targets))


def _on_disk(settings: Settings) -> dict[str, str]:
    """The files as they are; those of broken contracts, too, as long as each may be where it is."""
    try:
        return files_of(settings)
    except ContractErrors as error:
        raise CommandError(f"{error}\ncontracts/ cannot be read, so nothing is overwritten → take these files out of it") from None


def _restore(root: Path, files: dict[str, str], changed: list[tuple[str, str]]) -> None:
    for path, how in changed:
        target = root / path
        if how == "removed":
            remove(target)
            _remove_empty(target.parent, root)
            continue
        replace(target, files[path].encode("utf-8", "surrogatepass"))


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


class RolledBackRow(msgspec.Struct, frozen=True):
    """The definitions that are in force again, the files that were written, and what came of it in each space."""

    definitions: str
    files: list[ChangedFile]
    spaces: list[AppliedRow]


def row(done: RolledBack) -> RolledBackRow:
    """What happened, for programs."""
    return RolledBackRow(done.digest, changed_files(done.files), [applied_row(one) for one in done.spaces])


def words(done: RolledBack) -> str:
    """What happened, for people."""
    lines = [f"{how:8} contracts/{path}" for path, how in done.files]
    for one in done.spaces:
        said = "these definitions are in force already" if one.submitted is None else one.submitted.words()
        lines.append(f"{one.space}: back to definitions {done.digest}: {said}")
    return "\n".join(lines)
