"""`skep state checkpoint` and `skep state restore`: what they refuse, and a restore that is killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from skep.answers.state_checkpoint import checkpoint
from skep.answers.state_restore import restore
from skep.project.errors import CommandError
from skep.project.process import take_lock
from skep.project.settings import Settings
from state import checkpoint as module
from state.errors import DiskFull, FormatMismatch, NoState, StateError
from state.shard import Shard
from tests.crash.harness import FLOW, finish
from tests.crash.shop import make_lines, make_project
from tests.killing import killed_at_each
from tests.promises.project import asked, dump
from tests.skep.test_cli import refused, skep

SEED = 51


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A project that has gone on since a checkpoint, that checkpoint, and the dump that was there then."""
    folder = tmp_path_factory.mktemp("checkpoint")
    project, lines = make_project(folder / "shop"), make_lines(6000, SEED)[:400]
    (project / "events").mkdir(exist_ok=True)
    with (project / "events/part-0.jsonl").open("wb") as events:
        events.write(b"".join(line + b"\n" for line in lines[:250]))
    finish(project, FLOW)
    found = asked(project, "state", "checkpoint", str(folder / "kept"))
    assert (found["by_flow"], found["spaces"]["shop"]["applied"]["shop/part-0.jsonl"]) == (False, 250)
    assert 0 < found["shared"] < found["bytes"]
    before = dump(project)
    with (project / "events/part-0.jsonl").open("ab") as events:
        events.write(b"".join(line + b"\n" for line in lines[250:]))
    finish(project, FLOW)
    assert dump(project) != before
    return project, folder / "kept", before


@pytest.fixture
def shop(made: tuple[Path, Path, str], tmp_path: Path) -> Settings:
    return Settings.load(shutil.copytree(made[0], tmp_path / "shop"))


@pytest.fixture
def kept(made: tuple[Path, Path, str], tmp_path: Path) -> Path:
    return shutil.copytree(made[1], tmp_path / "kept")


def test_what_is_there_is_replaced_only_when_that_is_said(shop: Settings, made: tuple[Path, Path, str], tmp_path: Path) -> None:
    now, (_, folder, before) = dump(shop.root), made
    assert "has state already" in refused(skep("state", "restore", str(folder), project=shop.root))
    assert dump(shop.root) == now
    (shop.data / "skep.duckdb").write_bytes(b"of what is gone")
    done = skep("state", "restore", str(folder), "--overwrite", project=shop.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert dump(shop.root) == before
    assert sorted(path.name for path in shop.data.iterdir() if path.suffix == ".duckdb" or "restor" in path.name) == []
    # What goes on leaves the checkpoint as it is.
    finish(shop.root, FLOW)
    assert dump(shop.root) == now
    fresh = shutil.copytree(made[0], tmp_path / "fresh", ignore=shutil.ignore_patterns("data"))
    assert asked(fresh, "state", "restore", str(folder))["replaced"] is False
    assert dump(fresh) == before


def put_back(project: Path, checkpoint: str) -> None:
    """The step that is killed."""
    restore(Settings.load(project), Path(checkpoint), overwrite=True)


def test_a_killed_restore_leaves_the_old_state_or_is_run_again(made: tuple[Path, Path, str], tmp_path: Path) -> None:
    project, folder, before = made
    now = dump(project)
    calls = ("shutil.rmtree", "os.rename", "os.replace", "os.unlink")
    *left, _ended = killed_at_each(put_back, calls, project, tmp_path / "killed", str(folder), every=4)
    assert len(left) > 2
    half = 0
    for shop in left:
        settings = Settings.load(shop)
        if (settings.data / "restoring").exists():
            half += 1
            with pytest.raises(StateError, match=f"run it again: skep state restore {folder}"), take_lock(settings):
                pass
            if half == 2:
                assert "a restore was interrupted" in refused(skep("run", "--once", project=shop))
            restore(settings, folder, overwrite=False)
            assert dump(shop) == before, shop.name
        else:
            assert dump(shop) in {now, before}, shop.name
    assert half > 2


def test_a_running_flow_is_not_overwritten(shop: Settings, kept: Path) -> None:
    with take_lock(shop):
        assert "written by another flow" in refused(skep("state", "restore", str(kept), "--overwrite", project=shop.root))


def _manifest(kept: Path, change: Callable[[dict[str, Any]], object]) -> None:
    found = orjson.loads((kept / "checkpoint.json").read_bytes())
    change(found)
    (kept / "checkpoint.json").write_bytes(orjson.dumps(found))


def _some(kept: Path, pattern: str) -> Path:
    return next(path for path in sorted(kept.glob(pattern)) if path.stat().st_size)


def _altered(kept: Path) -> None:
    path = _some(kept, "shards/shop/*.sst")
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.unlink()
    path.write_bytes(body)


def _stand(kept: Path, **other: Any) -> None:
    _manifest(kept, lambda found: found["spaces"]["shop"].update(other))


def _of_another_space(found: dict[str, Any]) -> None:
    found["spaces"] = {"other": found["spaces"]["shop"]}


BROKEN: dict[str, tuple[Callable[[Path], object], type[Exception], str]] = {
    "unfinished": (lambda kept: (kept / "checkpoint.json").unlink(), NoState, "is no checkpoint, or was not finished"),
    "nothing": (shutil.rmtree, NoState, "is no checkpoint"),
    "no JSON": (lambda kept: (kept / "checkpoint.json").write_text("{"), StateError, "checkpoint.json: expected what"),
    "layout": (lambda kept: _manifest(kept, lambda one: one.update(layout=2)), StateError, "expected a checkpoint of layout 1, found 2"),
    "newer": (lambda kept: _stand(kept, format=99), FormatMismatch, "state of format 99"),
    "positions": (lambda kept: _stand(kept, applied={}), StateError, "expected format"),
    "space": (lambda kept: _manifest(kept, _of_another_space), CommandError, "has other, which"),
    "altered": (_altered, StateError, "is not as the checkpoint has it: expected"),
    "short": (lambda kept: os.truncate(_some(kept, "control/*"), 3), StateError, "control/shop.jsonl is not as the checkpoint has it"),
    "missing": (lambda kept: _some(kept, "archive/shop/day=*/*").unlink(), StateError, "is missing: the checkpoint is not whole"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_a_whole_checkpoint_of_this_project_changes_nothing(name: str, shop: Settings, kept: Path) -> None:
    breaking, kind, words = BROKEN[name]
    before = dump(shop.root)
    breaking(kept)
    with pytest.raises(kind, match=words):
        restore(shop, kept, overwrite=True)
    assert dump(shop.root) == before
    assert not (shop.data / "restoring").exists()
    assert not (shop.data / ".restoring").exists()


def test_ids_are_of_one_secret(shop: Settings, kept: Path) -> None:
    done = skep("state", "restore", str(kept), "--overwrite", project=shop.root, SKEP_SECRET="another")
    assert "made with another SKEP_SECRET" in refused(done)


def test_a_full_disk_leaves_nothing_half(shop: Settings, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(shop.root)
    monkeypatch.setattr(module.shutil, "copyfile", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DiskFull, match="nothing of the state is touched"):
        checkpoint(shop, tmp_path / "full")
    assert not (tmp_path / "full").exists()
    (tmp_path / "full").mkdir()
    with pytest.raises(DiskFull):
        checkpoint(shop, tmp_path / "full")
    assert list((tmp_path / "full").iterdir()) == []
    with pytest.raises(DiskFull, match="the state is as it was"):
        restore(shop, kept, overwrite=True)
    assert dump(shop.root) == before


def test_folders_that_will_not_do(shop: Settings, kept: Path, tmp_path: Path) -> None:
    here = str(shop.data / "backup")
    assert "expected a folder outside of" in refused(skep("state", "checkpoint", here, project=shop.root))
    assert "name another" in refused(skep("state", "checkpoint", str(kept), project=shop.root))
    (kept / "checkpoint.json").unlink()
    assert "what an interrupted checkpoint has left" in refused(skep("state", "checkpoint", str(kept), project=shop.root))
    (tmp_path / "file").touch()
    assert "expected an empty folder" in refused(skep("state", "checkpoint", str(tmp_path / "file"), project=shop.root))


def test_state_of_another_format_is_migrated_first(shop: Settings, tmp_path: Path) -> None:
    shard = Shard(shop.data / "shards/shop")
    shard.db.get_column_family("meta").put(b"format", b"3")
    shard.close()
    assert "skep state info" in refused(skep("state", "checkpoint", str(tmp_path / "new"), project=shop.root))
    assert not (tmp_path / "new").exists()


def test_without_links_files_are_copied(shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on another file system."""
    monkeypatch.setattr(module.os, "link", lambda *_: (_ for _ in ()).throw(OSError(18, "Invalid cross-device link")))
    before = dump(shop.root)
    found = checkpoint(shop, tmp_path / "copied")
    assert all(path.stat().st_nlink == 1 for path in (tmp_path / "copied/archive").rglob("*.parquet"))
    fresh = shutil.copytree(shop.root, tmp_path / "fresh", ignore=shutil.ignore_patterns("data"))
    assert restore(Settings.load(fresh), tmp_path / "copied", overwrite=False).bytes == found.bytes
    assert dump(fresh) == before


def test_before_the_first_run_there_is_nothing_to_keep(tmp_path: Path) -> None:
    skep("init", str(tmp_path / "p"))
    assert "nothing has run here yet" in refused(skep("state", "checkpoint", str(tmp_path / "kept"), project=tmp_path / "p"))
    assert not (tmp_path / "kept").exists()
