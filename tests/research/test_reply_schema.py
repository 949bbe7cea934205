"""The schemas of forms: what vendors' strict modes take, and nothing that the form would not read."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from orchestrator.core.model import Ask, Message
from orchestrator.models.scripted import ScriptedModel
from orchestrator.research import stages
from orchestrator.research.replies import in_form, parse_reply
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.reply_schema import schema_of

for module in pkgutil.iter_modules(stages.__path__):
    importlib.import_module(f"{stages.__name__}.{module.name}")


def forms(base: type[ReplyForm] = ReplyForm) -> Iterator[type[ReplyForm]]:
    """Every form of the stages."""
    for form in base.__subclasses__():
        if form.__module__.startswith(stages.__name__):
            yield form
        yield from forms(form)


FORMS = sorted(set(forms()), key=lambda form: form.__name__)
TAKEN = {"type", "enum", "anyOf", "items", "properties", "required", "additionalProperties"}
UNIONS = 16  # that Anthropic takes in one schema


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and the schemas in it."""
    yield schema
    inner = [*schema.get("anyOf", ()), *schema.get("properties", {}).values()]
    for one in [*inner, *([schema["items"]] if "items" in schema else ())]:
        yield from parts(one)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_form_is_said_in_what_every_strict_mode_takes(form: type[ReplyForm]) -> None:
    schema = json.loads(schema_of(form))
    assert schema["type"] == "object"
    for part in parts(schema):
        assert set(part) <= TAKEN
        assert {"type", "anyOf"} & set(part), "nothing is left open"
        assert "" not in part.get("enum", ())
        if part.get("type") == "object":
            assert part["required"] == [*part["properties"]]
            assert part["additionalProperties"] is False
    assert list(schema["properties"]) == [*form.model_fields], "models write in this order"
    assert sum("anyOf" in part for part in parts(schema)) <= UNIONS


class Inner(ReplyForm):
    name: str
    base: str = "the baseline"


class Outer(ReplyForm):
    title: Annotated[str, Field(min_length=1, max_length=9)]
    mark: Annotated[int, WholeNumber(1, 10)] | None = None
    word: Literal["yes", "no", ""] = ""
    kind: Literal["a", "b"]
    inner: Annotated[tuple[Inner, ...], Field(max_length=2)] = ()
    done: bool = False


def maybe(one: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [one, {"type": "null"}]}


def test_a_key_that_may_be_left_out_has_an_empty_value_or_null() -> None:
    text: dict[str, Any] = {"type": "string"}
    inner = {
        "type": "object", "properties": {"name": text, "base": maybe(text)}, "required": ["name", "base"],
        "additionalProperties": False,
    }  # fmt: skip
    assert json.loads(schema_of(Outer)) == {
        "type": "object",
        "properties": {
            "title": text,
            "mark": maybe({"type": "integer"}),
            "word": maybe({"type": "string", "enum": ["yes", "no"]}),
            "kind": {"type": "string", "enum": ["a", "b"]},
            "inner": {"type": "array", "items": inner},
            "done": {"type": "boolean"},
        },
        "required": ["title", "mark", "word", "kind", "inner", "done"],
        "additionalProperties": False,
    }


def test_what_the_schema_allows_for_left_out_is_read_as_left_out_at_every_depth() -> None:
    reply = {
        "title": "x", "mark": None, "word": None, "kind": "a", "inner": [{"name": "n", "base": None}], "done": False,
    }  # fmt: skip
    assert parse_reply(json.dumps(reply), Outer) == Outer(
        title="x", kind="a", inner=(Inner(name="n"),)
    )


def test_null_for_a_key_that_is_needed_stays_an_error() -> None:
    with pytest.raises(Exception, match="name"):
        parse_reply('{"title": "x", "kind": "a", "inner": [{"name": null}]}', Outer)


def test_a_request_for_a_form_says_its_schema() -> None:
    ask = Ask(purpose="x", messages=(Message("user", "?"),))
    model = ScriptedModel(["{}"])
    model.complete(in_form(ask, Outer))
    assert model.asks[0].reply_schema == schema_of(Outer)
