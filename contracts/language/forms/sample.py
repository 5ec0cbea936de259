"""``sample: {percent: 10, seed: spring, by: user_id}``: a share of all that stays the same."""

from __future__ import annotations

from contracts.language.forms.form import Form, Inner, Surroundings
from contracts.language.forms.has import read_namespace
from contracts.model.definitions import Condition
from contracts.model.of_identifiers import Sampled
from contracts.text.numbers import MICRO, micros, number_text
from contracts.text.yaml_tree import Reader, Tree

_WHOLE = 100 * MICRO
_SUCH = "a share and a seed, such as {percent: 10, seed: spring}"


def _sample(reader: Reader, at: Tree, _parts: dict[str, Tree], around: Surroundings, _inner: Inner) -> Condition | None:
    part = reader.fields(at, ("sample",), beside="`sample` stands alone; put it into a list below `all`")["sample"]
    if not isinstance(part.value, dict):
        number = type(part.value) in {int, float}
        reader.refuse(part, _SUCH, None, f"write {{percent: {part.value}, seed: …}}" if number else "")
        return None
    before = len(reader.problems)
    parts = reader.fields(part, ("percent", "seed", "by"))
    percent, seed = (reader.required(part, parts, name, f"{name}: {such}") for name, such in (("percent", 10), ("seed", "spring")))
    share = micros(percent.value) if percent is not None else None
    if percent is not None and (share is None or not 0 <= share <= _WHOLE):
        reader.refuse(percent, "a number from 0 to 100")
    text = str(seed.value) if seed is not None and type(seed.value) in {int, str} else ""
    if seed is not None and not text.strip():
        reader.refuse(seed, "a text: another one chooses others")
    by = read_namespace(reader, parts["by"], around.namespaces) if "by" in parts else None
    if share is None or len(reader.problems) > before:
        return None
    return Sampled(share, text, None if by is None else by.name)


def _says(condition: Sampled, _features: object) -> str:
    by = "" if condition.by is None else f" by {condition.by}"
    return f"sample of {number_text(condition.percent)} % with seed {condition.seed}{by}"


def _tells(condition: Sampled, _telling: object) -> str:
    by = "" if condition.by is None else f", chosen by {condition.by}"
    return f"who are in the sample {condition.seed} of {number_text(condition.percent)} % of everybody{by}"


SAMPLE = Form(_sample, _says, _tells)
