"""Two files that fill one audience of a vendor, and one that nothing fills, are warned of, with file, line and key."""

from __future__ import annotations

from contracts import load
from contracts.reading.audiences import idle_audiences, same_audiences
from tests.contracts.project import segment

ONE = 'kind: klaviyo\nconnection: {api_key: "${KEY}"}\naudiences:\n  one: Vx7\n'


def test_the_second_file_is_told_of_the_first() -> None:
    files = {**segment("{did: order_completed}"), "destinations/a.yaml": ONE, "destinations/b.yaml": ONE}
    (problem,) = same_audiences(load(files))
    assert str(problem) == (
        "contracts/destinations/b.yaml:4: audiences.one: expected an audience that one file fills, found Vx7, as in a "
        "(each would take away whom the other puts in; use one file, or another audience)"
    )


def test_other_accounts_and_other_names_are_not() -> None:
    base = segment("{did: order_completed}")
    for other in (ONE.replace("KEY", "OTHER"), ONE.replace("Vx7", "Vx8")):
        assert same_audiences(load({**base, "destinations/a.yaml": ONE, "destinations/b.yaml": other})) == []


def test_an_audience_whose_segment_goes_elsewhere_is_told_of_nobody() -> None:
    files = {**segment("{did: order_completed}"), "destinations/a.yaml": ONE}
    (problem,) = idle_audiences(load(files))
    assert str(problem) == (
        "contracts/destinations/a.yaml:4: audiences.one: expected a segment that names a in `activate`, found one that does not "
        "(add it there, in contracts/segments/one.yaml: until then nobody is told of it)"
    )
    (path,) = (path for path in files if path.startswith("segments/"))
    assert idle_audiences(load({**files, path: files[path] + "\nactivate: [a]\n"})) == []
