"""A shard that an older version wrote has not every family: it is read as if the others were empty, and written on."""

from __future__ import annotations

import fcntl
from pathlib import Path
from random import Random

import pytest
from rocksdict import Options, Rdict

from operators.people.stored import committed_moments
from state import shard as shard_module
from state.errors import NoState
from state.family import Family
from state.files import held
from state.keys import moment_key
from state.overlay import Overlay
from state.shard import FAMILIES, GENERATIONS, OTHER, SecondaryShard, Shard


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A shard with one row, without the family ``denials``."""
    shard = Shard(tmp_path)
    shard.meta.put(b"state", b"1")
    shard.commit()
    shard.close()
    options = Options(raw_mode=True)
    whole = Rdict(str(tmp_path), options, column_families={name: Options(raw_mode=True) for name in FAMILIES})
    whole.drop_column_family("denials")
    whole.close()
    assert "denials" not in Rdict.list_cf(str(tmp_path))
    return tmp_path


def test_an_older_shard_is_read_beside_its_writer(older: Path) -> None:
    reader = SecondaryShard(older)
    assert (reader.row("meta", b"state"), reader.row("denials", b"x"), list(reader.rows("denials"))) == (b"1", None, [])
    reader.close()


def test_a_reader_follows_a_writer_that_makes_families(older: Path) -> None:
    """Those that were not there when it was opened: an upgraded flow makes them beside a running activation."""
    reader = SecondaryShard(older)
    shard = Shard(older)
    shard.denials.put(b"x", b"2")
    shard.commit()
    reader.refresh()
    assert (reader.row("meta", b"state"), reader.row("denials", b"x")) == (b"1", b"2")
    shard.close()
    reader.close()


def test_a_reader_opened_while_the_shard_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer makes families one by one: what was listed before it had made all is not what is there."""
    shard = Shard(tmp_path)
    shard.changes.put(b"a", b"1")
    shard.commit()
    listings = iter([{"default", "meta"}, {"default", "meta", "people"}])
    listed = shard_module._listed
    monkeypatch.setattr(shard_module, "_listed", lambda path: next(listings, None) or listed(path))
    reader = SecondaryShard(tmp_path)
    assert reader.row("changes", b"a") == b"1"
    shard.close()
    reader.close()


def test_things_are_tried_on_an_older_shard(older: Path) -> None:
    trial = Overlay(older)
    trial.denials.put(b"x", b"2")
    assert list(trial.rows("denials")) == [(b"x", b"2")]
    assert list(trial.rows("meta"))[-1] == (b"state", b"1")
    trial.close()


def test_an_older_shard_is_written_on(older: Path) -> None:
    shard = Shard(older)
    shard.denials.put(b"x", b"2")
    shard.commit()
    assert (shard.row("meta", b"state"), shard.row("denials", b"x")) == (b"1", b"2")
    shard.close()


def test_a_folder_that_is_no_shard_yet_has_no_state(tmp_path: Path) -> None:
    with pytest.raises(NoState):
        SecondaryShard(tmp_path)


def test_a_generation_is_made_beside_put_in_force_and_the_other_dropped(tmp_path: Path) -> None:
    """Three times, opened anew after every step; a reader beside sees what is in force at each look."""
    shard = Shard(tmp_path)
    shard.people.put(b"a", b"0")
    shard.commit()
    reader = SecondaryShard(tmp_path)
    for number in (1, 2, 3):
        shard.begin_other()
        shard.families[f"{OTHER}people"].put(b"a", b"%d" % number)
        shard.commit()
        shard = reopened(shard)
        reader.refresh()
        assert (shard.people.get(b"a"), shard.row(f"{OTHER}people", b"a")) == (b"%d" % (number - 1), b"%d" % number)
        assert reader.row("people", b"a") == b"%d" % (number - 1)
        shard.switch()
        assert shard.people.get(b"a") == b"%d" % (number - 1)
        shard.commit()
        assert shard.generation == number
        shard = reopened(shard)
        assert shard.generation == number
        reader.refresh()
        for rows in (shard, reader):
            assert (rows.row("people", b"a"), rows.row(f"{OTHER}people", b"a")) == (b"%d" % number, b"%d" % (number - 1))
        shard.drop_other()
        assert not shard.other
        shard = reopened(shard)
        reader.refresh()
        assert (shard.other, shard.generation, shard.people.get(b"a"), reader.row("people", b"a")) == (False, number, *[b"%d" % number] * 2)
    assert [name for name in Rdict.list_cf(str(tmp_path), Options(raw_mode=True)) if name.startswith("people")] == ["people@3"]
    reader.close()
    shard.close()


def test_no_family_is_dropped_while_a_reader_opens_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RocksDB ends the process of a reader from under whom one goes between the first listing and the last. Readers do not wait for one
    another, and whoever asks here is another one, as a lock is of an open file."""
    shard = Shard(tmp_path)
    shard.begin_other()
    shard.switch()
    shard.commit()
    listed, close = shard_module._listed, Family.close
    opening: list[tuple[bool, bool]] = []
    dropping: list[tuple[bool, bool]] = []

    def free() -> tuple[bool, bool]:
        return _is_free(tmp_path, fcntl.LOCK_SH), _is_free(tmp_path, fcntl.LOCK_EX)

    def listing(path: Path) -> set[str]:
        opening.append(free())
        return listed(path)

    def closing(family: Family) -> None:
        dropping.append(free())
        close(family)

    with monkeypatch.context() as patch:
        patch.setattr(shard_module, "_listed", listing)
        reader = SecondaryShard(tmp_path)
    with held(tmp_path, fcntl.LOCK_SH):
        assert not shard.drop_next(wait=False)
    assert shard.other
    with monkeypatch.context() as patch:
        patch.setattr(Family, "close", closing)
        shard.drop_other()
    assert opening == [(True, False)] * 2
    assert dropping == [(False, False)] * (len(GENERATIONS) + 1)
    assert free() == (True, True)
    reader.close()
    shard.close()


def _is_free(folder: Path, how: int) -> bool:
    """Whether a lock is to be had at once."""
    try:
        with held(folder, how | fcntl.LOCK_NB):
            return True
    except BlockingIOError:
        return False


@pytest.mark.parametrize("made", range(len(GENERATIONS) + 1))
def test_killed_while_a_generation_is_made_or_dropped(made: int, tmp_path: Path) -> None:
    """What is there of it is opened; it can be dropped, and made again."""
    shard = Shard(tmp_path)
    shard.people.put(b"a", b"0")
    shard.commit()
    shard.begin_other()
    for name in list(GENERATIONS)[:made]:
        shard.families.pop(OTHER + name).close()
        shard.db.drop_column_family(f"{name}@1")
    shard = reopened(shard)
    assert (shard.other, shard.generation, shard.people.get(b"a")) == (True, 0, b"0")
    shard.drop_other()
    shard.begin_other()
    shard.families[f"{OTHER}people"].put(b"a", b"1")
    shard.switch()
    shard.commit()
    assert shard.people.get(b"a") == b"1"
    shard.close()


def reopened(shard: Shard) -> Shard:
    shard.close()
    return Shard(shard.path)


def test_rows_of_moments_are_found_wherever_others_were_deleted(tmp_path: Path) -> None:
    """Put and deleted in any order, the oldest ones mostly first, as sealing does; now and then one comes before all that are there."""
    rng, shard = Random("moments"), Shard(tmp_path)
    anchors = [bytes([number]) * 16 for number in range(3)]
    there: dict[bytes, bytes] = {}
    for step in range(400):
        for number in range(rng.choice([1, 5])):
            time = rng.choice([step, rng.randrange(step + 1)]) * 86_400_000_000 + number
            key = moment_key(rng.choice(anchors), time, b"%16d" % step)
            there[key] = key
            shard.moments.put(key, key)
        for key in sorted(there)[: rng.choice([0, 0, 8])]:
            shard.moments.delete(key)
            del there[key]
        shard.commit()
        wanted = [key for key in sorted(there) if key[4:20] in anchors[:2]]
        assert [key for key, _ in committed_moments(shard, anchors[:2])] == wanted, step
    assert shard.moments.least > b""
    shard.close()
