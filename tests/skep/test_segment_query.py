"""`skep segments sql`: which segments and moments it knows, and that its text goes through `skep sql` as it is."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from skep.answers.segment_query import query_of, sentence_of
from skep.project.errors import CommandError
from skep.project.settings import Settings
from state.errors import BeforeClock
from tests.skep.small_shop import SECRET
from tests.skep.test_cli import skep


@pytest.fixture
def settings(small_shop: Path) -> Settings:
    return Settings.load(small_shop, secret=SECRET)


def test_what_there_is_not(settings: Settings) -> None:
    with pytest.raises(CommandError, match="expected the name of a segment, found lapsin → did you mean lapsing"):
        query_of(settings, "lapsin", None, None)
    with pytest.raises(CommandError, match="--at soon: expected a time like 2026-01-31"):
        query_of(settings, "lapsing", "soon", None)
    with pytest.raises(BeforeClock, match="space shop has come to"):
        query_of(settings, "lapsing", "2001-01-01", None)


def test_a_segment_of_the_files_that_is_not_in_force(edited_shop: Path) -> None:
    """What is in force goes first; a name that is not is as contracts/ has it."""
    settings = Settings.load(edited_shop, secret=SECRET)
    file = edited_shop / "contracts" / "segments" / "young.yaml"
    file.write_text("segment: young\nwho: {did: page_viewed}\n")
    assert not query_of(settings, "young", None, None).in_force
    assert query_of(settings, "spenders", None, None).in_force
    file.unlink()


def test_the_text_runs_as_it_is_printed(small_shop: Path) -> None:
    """Those whom it finds are those who are in."""
    assert skep("snapshot", project=small_shop, SKEP_SECRET=SECRET).returncode == 0
    for segment in ("buyers", "lapsing", "spenders"):
        said = skep("segments", "sql", segment, project=small_shop, SKEP_SECRET=SECRET)
        assert said.returncode == 0, said.stderr
        assert json.loads(skep("segments", "sql", segment, "--json", project=small_shop, SKEP_SECRET=SECRET).stdout)["sql"] == said.stdout
        with duckdb.connect(str(small_shop / "data" / "skep.duckdb"), read_only=True) as con:
            inside = con.execute(
                "SELECT profile_id FROM memberships WHERE segment = ? AND exited_at IS NULL ORDER BY 1", [segment]
            ).fetchall()
            assert con.execute(said.stdout).fetchall() == inside, segment


def test_a_segment_in_words(small_shop: Path, settings: Settings) -> None:
    """Printed, and as JSON with where it comes from."""
    words = sentence_of(settings, "lapsing", None).says
    assert words.startswith("Members of lapsing are those")
    done = skep("segments", "say", "lapsing", project=small_shop, SKEP_SECRET=SECRET)
    assert (done.stdout, done.stderr) == (f"{words}\n", "")
    found = json.loads(skep("segments", "say", "lapsing", "--json", project=small_shop, SKEP_SECRET=SECRET).stdout)
    assert found == {"space": "shop", "segment": "lapsing", "version": found["version"], "in_force": True, "says": words}
