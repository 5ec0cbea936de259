"""``in_list: vips.csv``: an identifier is in a file of ``lists/``."""

from __future__ import annotations

from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.model.definitions import Condition
from contracts.model.of_identifiers import InList
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree


def _in_list(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    part = reader.fields(at, ("in_list",), beside="`in_list` stands alone; put it into a list below `all`")["in_list"]
    name = reader.text(part, expected="the name of a file in lists/, such as vips.csv")
    if not name:
        return None
    if name not in around.lists:
        near = f"write {name}.csv" if f"{name}.csv" in around.lists else choices(name, around.lists)
        reader.refuse(part, "the name of a file in lists/", name, near or f"put it into contracts/lists/{name}")
        return None
    return InList(name)


IN_LIST = Form(
    _in_list,
    lambda condition, _features: f"in_list {condition.list}",
    lambda condition, _telling: f"who are in the list {condition.list}",
)
