"""`skep segments audit`: of a sound project it says so; whatever is altered in it is found, said and counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.model.hashing import Hasher
from operators.records import decode_person, encode
from skep.answers.segments.audit import SpaceAudit, audit_segments
from skep.project.audited import last
from skep.project.errors import CommandError
from skep.project.settings import Settings
from state.shard import Shard
from tests.skep.small_shop import SECRET
from tests.skep.test_cli import skep


@pytest.fixture
def settings(small_shop: Path, tmp_path: Path) -> Settings:
    return Settings.load(shutil.copytree(small_shop, tmp_path / "shop"), secret=SECRET)


def audited(settings: Settings, **asked: Any) -> SpaceAudit:
    [found] = audit_segments(settings, asked.get("segment"), asked.get("sample"), None)
    return found


def altered(settings: Settings, change: Callable[[Any], None], user: str = "2") -> None:
    """Change the row of a person, behind the flow's back."""
    with closing(Shard(settings.data / "shards" / "shop")) as shard:
        key = Hasher(SECRET, "shop").identifier("user_id", user)
        person = decode_person(dict(shard.people.committed(key))[key])
        change(person)
        shard.people.put(key, encode(person))
        shard.commit()


def test_a_sound_project(settings: Settings) -> None:
    found = audited(settings)
    assert [(one.segment, one.archive, one.stored, one.differ) for one in found.segments] == [
        ("buyers", 3, 3, 0), ("spenders", 2, 2, 0), ("lapsing", 2, 2, 0),
    ]  # fmt: skip
    assert found.waiting == 0
    assert last(settings)["shop"].differences == {"buyers": 0, "spenders": 0, "lapsing": 0}
    assert sorted(path.name for path in settings.data.glob(".audit-*")) == []
    done = skep("segments", "audit", "--json", project=settings.root, SKEP_SECRET=SECRET)
    assert (done.returncode, json.loads(done.stdout)[0]["people"]) == (0, found.people)


def test_what_is_written_down_is_wrong(settings: Settings) -> None:
    """A membership that the person's own numbers deny."""

    def change(person: Any) -> None:
        person.bits = b""

    altered(settings, change)
    found = audited(settings)
    [one] = found.segments[1].differences
    assert (one.archive, one.stored, one.told, one.where) == (True, False, True, "stored")
    assert last(settings)["shop"].differences == {"buyers": 1, "spenders": 1, "lapsing": 1}
    done = skep("segments", "audit", project=settings.root, SKEP_SECRET=SECRET)
    assert done.returncode == 1
    assert f"spenders: {one.profile} is in by the archive, not in as stored, in as told" in done.stdout
    assert done.stdout.endswith("\n3 differences\n")


def test_what_is_kept_of_the_events_is_wrong(settings: Settings) -> None:
    """The first condition that would have to be otherwise is named."""

    def change(person: Any) -> None:
        person.cells, person.bits = {}, b""

    altered(settings, change)
    found = audited(settings, segment="spenders")
    [one] = found.segments[0].differences
    assert (one.where, one.first) == ("kept", "trait spent at least 50")
    assert [each.segment for each in found.segments] == ["spenders"]
    assert last(settings)["shop"].differences == {"spenders": 1}


def test_what_was_told_is_wrong(settings: Settings) -> None:
    with closing(Shard(settings.data / "shards" / "shop")) as shard:
        for key, row in shard.changes.committed(b""):
            change = orjson.loads(row)
            if change["type"] == "segment.entered" and change["segment"] == "buyers":
                shard.changes.put(key, orjson.dumps({**change, "type": "consent.changed"}))
        shard.commit()
    [one, *_] = audited(settings, segment="buyers").segments[0].differences
    assert (one.archive, one.stored, one.told, one.where) == (True, True, False, "told")


def test_a_sample_is_of_so_many_people(settings: Settings) -> None:
    found = audited(settings, sample=2)
    assert found.people == 2
    assert sum(one.differ for one in found.segments) == 0
    assert last(settings) == {}


def test_events_that_are_not_in_the_archive_yet(settings: Settings) -> None:
    """Whose they are is left out: nothing can be said of them."""
    for path in (settings.data / "archive" / "shop").rglob("*.parquet"):
        if path.name.startswith("till"):
            path.unlink()
    found = audited(settings)
    assert found.waiting == 2
    assert sum(one.differ for one in found.segments) == 0


def test_what_there_is_not(settings: Settings) -> None:
    with pytest.raises(CommandError, match="--segment: expected a segment in force, found lapsin → did you mean lapsing"):
        audited(settings, segment="lapsin")
    with pytest.raises(CommandError, match="--sample: expected a number of people from 1 on, found 0"):
        audited(settings, sample=0)
