"""The journal's lines and the values in them: written, read back equal, refused where malformed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, asdict, fields, is_dataclass, replace
from itertools import count
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from orchestrator.core.errors import BadJournal
from orchestrator.core.model import DEFAULT_ROLE
from orchestrator.core.tree import canonical, digest
from orchestrator.record import events, literature_notes, notes, pins, plan_notes
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import ANSWER_TYPES, REQUEST_TYPES, steps
from orchestrator.record.chain import read_lines
from orchestrator.record.events import Answered, Asked, Event, Noted, Port, from_json, read_event
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import Note
from orchestrator.record.schema import journal_schema
from orchestrator.research.sweep import SweepModel
from tests.support import run_rig
from tests.support.journal_rig import run_started
from tests.support.places import ROOT

SCHEMA_FILE = ROOT / "docs" / "journal.schema.json"
EVENTS: tuple[type[Any], ...] = get_args(Event)
NOTES: tuple[type[Any], ...] = get_args(Note)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type of the journal, every field set."""
    if kind is Any:
        return JSON
    if kind is float:
        return NUMBERS
    if kind is str:
        return st.text(max_size=8)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        parts = {one.name: values(hints[one.name]) for one in fields(kind)}
        if kind is pins.Pins:  # one of its models is the default
            parts["models"] = st.tuples(values(pins.ModelPin).map(_default))
        return st.builds(kind, **parts)
    return _generic(kind, get_origin(kind), get_args(kind))


def _default(model: pins.ModelPin) -> pins.ModelPin:
    return replace(model, role=DEFAULT_ROLE)


def _generic(kind: Any, origin: Any, parts: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin is tuple and parts[-1] is ...:
        return st.lists(values(parts[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, parts))
    if origin is dict:
        return st.dictionaries(values(parts[0]), values(parts[1]), max_size=2)
    if origin in {Union, UnionType}:
        return st.one_of(*map(values, parts))
    found: st.SearchStrategy[Any] = st.from_type(kind)
    return found


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a new folder for each example."""
    base, numbers = tmp_path_factory.mktemp("events"), count()
    return lambda: base / str(next(numbers))


def named(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


# --- round trips --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVENTS, ids=named)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_event_is_read_from_a_journal_as_it_was_written(
    kind: type[Any], fresh: Callable[[], Path], data: st.DataObject
) -> None:
    first = canonical(run_started())
    event = replace(data.draw(values(kind)), n=1, prev=digest(first))
    path = fresh()
    path.write_bytes(first + b"\n" + canonical(event) + b"\n")
    read, head = list(read_lines(path))[1]
    assert type(read) is kind
    assert read == event
    assert canonical(read) == canonical(event)
    assert head == digest(canonical(event))


@pytest.mark.parametrize("kind", NOTES, ids=named)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_note_is_read_from_a_journal_as_it_was_written(
    kind: type[Any], fresh: Callable[[], Path], data: st.DataObject
) -> None:
    note, folder = data.draw(values(kind)), fresh()
    opened(folder).note("idea/x", note)
    again = opened(folder, Mode.REPLAY)
    assert again.notes(kind, below="idea") == [note]
    assert isinstance(again.events[-1], Noted)
    assert again.events[-1].name == note.note
    again.note("idea/x", note)


@pytest.mark.parametrize("port", REQUEST_TYPES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_request_and_answer_is_read_from_a_journal_as_it_was_written(
    port: Port, fresh: Callable[[], Path], data: st.DataObject
) -> None:
    request, answer = (data.draw(values(kinds[port])) for kinds in (REQUEST_TYPES, ANSWER_TYPES))
    folder = fresh()
    opened(folder).call(port, "idea/x", request, ANSWER_TYPES[port], lambda: answer)
    again = opened(folder, Mode.REPLAY)
    (step,) = steps(again)
    assert (step.request, step.answer) == (request, answer)

    def unasked() -> Any:
        pytest.fail("a replay made a call")

    assert again.call(port, "idea/x", request, ANSWER_TYPES[port], unasked) == answer


def opened(folder: Path, mode: Mode = Mode.RECORD) -> Journal:
    journal = Journal(folder / "journal.jsonl", BlobStore(folder / "blobs"), mode)
    if not journal.events:
        journal.append(run_started())
    return journal


def test_the_unions_have_every_class_of_their_modules() -> None:
    for modules, base, field, classes in (
        ((events,), events._Line, "kind", EVENTS),
        ((notes, plan_notes, literature_notes), pins.StrictRecord, "note", NOTES),
    ):
        named = (one for module in modules for one in vars(module).values())
        subclasses = (one for one in named if isinstance(one, type) and issubclass(one, base))
        assert set(classes) == {one for one in subclasses if hasattr(one, field)}
        kinds = [get_args(get_type_hints(one)[field])[0] for one in classes]
        assert len(set(kinds)) == len(kinds)


# --- what is refused ----------------------------------------------------------------------

LINE: dict[str, Any] = {
    "n": 1, "prev": digest(canonical(run_started())), "at": "2026", "kind": "failed",
    "port": "model", "scope": "run", "ord": 0, "request": "r", "seconds": 1.0,
    "error": {"type": "ModelBusy", "what": "busy", "where": "", "why": "", "todo": "",
              "transient": True},
}  # fmt: skip
WITHOUT = {name: value for name, value in LINE.items() if name != "scope"}

MALFORMED: dict[str, tuple[Any, str]] = {
    "unknown field": (LINE | {"extra": 1}, "extra"),
    "unknown field of a field": (LINE | {"error": LINE["error"] | {"code": 1}}, "error.code"),
    "field of another kind": (LINE | {"body": {"inline": 1, "blob": None}}, "body"),
    "unknown kind": (LINE | {"kind": "guessed"}, "guessed"),
    "no kind": ({"n": 1}, "kind"),
    "missing field": (WITHOUT, "scope"),
    "missing field of a field": (LINE | {"error": {"type": "ModelBusy"}}, "error.what"),
    "text for a number": (LINE | {"ord": "first"}, "ord"),
    "list for a text": (LINE | {"scope": ["run"]}, "scope"),
    "null for a number": (LINE | {"seconds": None}, "seconds"),
    "unknown port": (LINE | {"port": "oracle"}, "port"),
    "list": ([LINE], "JSON object"),
    "text": ("failed", "JSON object"),
    "null": (None, "JSON object"),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_a_line_that_is_none_of_the_events_is_refused_with_the_field(
    how: str, tmp_path: Path
) -> None:
    value, field = MALFORMED[how]
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(canonical(one) + b"\n" for one in (run_started(), value)))
    with pytest.raises(BadJournal) as caught:
        list(read_lines(path))
    assert field in caught.value.why
    assert caught.value.where == f"{path}:2"


def test_the_line_that_is_malformed_above_is_otherwise_well_formed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(canonical(one) + b"\n" for one in (run_started(), LINE)))
    assert [event.kind for event, _ in read_lines(path)] == ["run_started", "failed"]


@pytest.mark.parametrize("kind", EVENTS, ids=named)
@settings(max_examples=1, deadline=None)
@given(data=st.data())
def test_every_event_refuses_an_unknown_field_and_a_missing_one(
    kind: type[Any], data: st.DataObject
) -> None:
    line = events.to_json(data.draw(values(kind)))
    with pytest.raises(ValueError, match="extra"):
        read_event(canonical(line | {"extra": 1}))
    for one in fields(kind):
        if one.default is MISSING:
            with pytest.raises(ValueError, match=rf"\b{one.name}\b"):
                read_event(canonical({key: line[key] for key in line if key != one.name}))


def test_a_note_with_an_unknown_field_is_refused_with_the_line(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    body = events.Body.of({"note": "stage", "name": "ideas", "extra": 1}, journal.blobs)
    with pytest.raises(ValueError, match="extra"):
        journal.append(Noted(scope="run", ord=0, name="stage", body=body))
    with pytest.raises(BadJournal, match="not one that this program wrote") as caught:
        opened(tmp_path)
    assert "extra" in caught.value.why


# --- the schema ---------------------------------------------------------------------------


def test_the_schema_in_the_documents_is_what_the_classes_give() -> None:
    committed = json.loads(SCHEMA_FILE.read_text("utf-8"))
    assert committed == journal_schema(), "run scripts/journal-schema.sh"


def test_a_runs_lines_and_their_bodies_keep_the_schema(tmp_path: Path) -> None:
    run_rig.run_scripted(tmp_path / "run", SweepModel(), Mode.RECORD)
    schema, seen = journal_schema(), set()
    Draft202012Validator.check_schema(schema)
    store = BlobStore(
        next((tmp_path / "run").glob("*/blobs")), BlobStore(tmp_path / "run" / "blobs")
    )
    for path in (tmp_path / "run").rglob("journal.jsonl"):
        for event, _ in read_lines(path):
            line = events.to_json(asdict(event))
            assert complaints(schema, line) == []
            assert complaints(schema, {key: line[key] for key in line if key != "at"})
            for name, body in body_of(event):
                seen.add(name)
                held = {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
                assert complaints(held, body.read(store)) == []
    assert seen == {
        "Note",
        *(f"{port}.{side}" for port in REQUEST_TYPES for side in ("request", "answer")),
    }


def body_of(event: Event) -> list[tuple[str, events.Body]]:
    """The body of a line, under the name that the schema has for it."""
    if isinstance(event, Noted):
        return [("Note", event.body)]
    if isinstance(event, Asked):
        return [(f"{event.port}.request", event.body)]
    return [(f"{event.port}.answer", event.body)] if isinstance(event, Answered) else []


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_above_no_limit_is_no_value_of_a_record(word: str) -> None:
    with pytest.raises(ValueError, match=word):
        from_json(f'{{"usage": {{"usd": {word}}}}}'.encode())
