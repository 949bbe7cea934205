"""Replies as models write them: read as meant, asked for again where they cannot be, never guessed."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from orchestrator.core.errors import BadReply, CutReply, EmptyReply, WrongFormat
from orchestrator.core.model import Ask, Message
from orchestrator.models.scripted import ReplyRule, ScriptedModel
from orchestrator.record.absent import absent
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.loose_json import json_objects, read_object
from orchestrator.research.replies import ask_for, parse_reply
from orchestrator.research.reply_form import ReplyForm, WholeNumber
from orchestrator.research.stages.choosing import Queries
from orchestrator.research.stages.ideas import Proposal
from orchestrator.research.stages.novelty import NoveltyAnswer
from orchestrator.research.stages.review import GRADES, ReviewForm
from tests.support import paper_rig as rig
from tests.support.journal_rig import run_started


class Form(ReplyForm):
    Name: str
    Mark: Annotated[int, WholeNumber(1, 10)] | None = None
    EthicalConcerns: bool | None = None
    Decision: Literal["Accept", "Reject", ""] = ""
    points: Annotated[tuple[str, ...], Field(max_length=3)] = ()


PLAIN = '{"Name": "it", "Mark": 8, "Decision": "Reject"}'
READ = Form(Name="it", Mark=8, Decision="Reject")


@pytest.mark.parametrize(
    "reply",
    [
        PLAIN,
        f"Sure, here it is:\n```json\n{PLAIN}\n```\nAnything else?",
        f"```JSON5\n{PLAIN}\n```",
        f"~~~\n{PLAIN}\n~~~",
        f"````json\n```\n{PLAIN}\n```\n````",
        f"```json {PLAIN} ```",
        f"```json\n{PLAIN}",
        f"  1. Answer:\n   ```json\n   {PLAIN}\n   ```",
        f"THOUGHT: a set {{x}} of {{y}}.\nREVIEW JSON: {PLAIN} and {{that}} is all.",
        f"An open {{ and a \" quote.\n{PLAIN}",
        f"An open {{ and a quote \" here.\n```json\n{PLAIN}\n```\nIt's \"so\".",
        f'{{"Name": "a first draft", "Mark": 1}}\nBetter:\n{PLAIN}',
        f'{PLAIN}\n{{"Name": 3}} {{"Mark": 1}} {{}}',
        '{"Name": "it", "Mark": 8, "Decision": "Reject",}',
        '{"Name": "it", // "the } name"\n"Mark": 8, /* of {10 */ "Decision": "Reject", }',
        '{“Name”: “it”, “Mark”: 8, “Decision”: “Reject”}',
        '{"Name": "it", "Mark": "8", "Decision": "reject"}',
        '{"Name": "it", "Mark": 8.0, "Decision": " REJECT "}',
        '{"name": "it", "mark": "8/10", "decision": "Reject"}',
        '{"NAME": "it", "Mark": "8 out of 10", "Decision": "Reject"}',
        '{"Name": "it", "Mark": " 8.0 / 10 ", "Decision": "Reject", "points": null}',
        '{"Name": "it", "Mark": 8, "Decision": "Reject", "thought": NaN, "points": []}',
        '{"Name": "it", "Mark": 8, "Decision": "Reject", "Ethical Concerns": None}',
    ],
)  # fmt: skip
def test_what_a_model_plainly_means_is_read(reply: str) -> None:
    assert parse_reply(reply, Form) == READ


@pytest.mark.parametrize(
    ("more", "read"),
    [
        ('"Ethical Concerns": true', {"EthicalConcerns": True}),
        ('"ethical_concerns": "No"', {"EthicalConcerns": False}),
        ('"Ethical-Concerns": False', {"EthicalConcerns": False}),
        ('"Points": "one alone"', {"points": ("one alone",)}),
        ('"points": " "', {"points": ()}),
        ('"points": ["a\nb", "c\td",]', {"points": ("a\nb", "c\td")}),
        (
            r'"points": ["\alpha, 5\%, \u12", "\\beta"]',
            {"points": (r"\alpha, 5\%, \u12", r"\beta")},
        ),
        (r'"points": ["\ud83d \ud83d\ude00"]', {"points": ("? 😀",)}),
        ('"points": ["http://a // b", "/* c */"],', {"points": ("http://a // b", "/* c */")}),
        ('"points": ["“so” True, it’s, ]"]', {"points": ("“so” True, it’s, ]",)}),
    ],
)
def test_a_value_is_read_as_meant(more: str, read: dict[str, object]) -> None:
    assert parse_reply(f'{{"Name": "it", {more}}}', Form) == Form(Name="it", **read)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("I cannot judge this.", "holds no JSON object"),
        ('{"Name": "it"', "holds no JSON object that has an end"),
        ('{"foo": 1}', "none of the keys Name, Mark, EthicalConcerns"),
        ("{'Name': 'it'}", "not JSON: .* line 1 column 2"),
        ('{"Name": "it" "Mark": 8}', "Expecting ',' delimiter: line 1 column 15"),
        ('{"Name": "it", "Mark": 5.5}', "Mark: 5.5 is between two marks; write 5 or 6"),
        ('{"Name": "it", "Mark": "4.5/10"}', "4.5 is between two marks; write 4 or 5"),
        ('{"Name": "it", "Mark": "4/5"}', "from 1 to 10, not '4/5'"),
        ('{"Name": "it", "Mark": 11}', "from 1 to 10, not 11"),
        ('{"Name": "it", "Mark": NaN}', "from 1 to 10, not nan"),
        ('{"Name": "it", "Mark": 1e999}', "from 1 to 10, not inf"),
        ('{"Name": "it", "Mark": true}', "from 1 to 10, not True"),
        ('{"Name": "it", "Mark": "good"}', "not 'good'"),
        ('{"Name": "it", "Decision": "Weak Reject"}', "'Weak Reject' is not one of: Accept, Reject"),
        ('{"Name": null}', "Name: must be text"),
        ('{"Mark": 8}', "the key 'Name' is missing"),
        ('{"Name":' * 20_000 + "1" + "}" * 20_000, "nested too deep"),
        ('{"Name": ' + "1" * 5000 + "}", "not JSON"),
        ("{" + " " * 300_000 + "}", "it has 300002 characters, over 262144"),
    ],
)  # fmt: skip
def test_what_a_model_does_not_plainly_mean_is_refused_with_the_reason(
    reply: str, why: str
) -> None:
    with pytest.raises(WrongFormat) as caught:
        parse_reply(reply, Form)
    assert not isinstance(caught.value, CutReply | EmptyReply)
    assert re.search(why, caught.value.why), caught.value.why


def test_every_error_of_the_object_that_comes_closest_is_told_at_once() -> None:
    close = '{"Mark": 5.5, "Ethical Concerns": "perhaps", "points": ["a", "b", "c", "d"]}'
    reply = f'As in {{"Name": 1}}:\n```json\n{close}\n```\nor {{"Mark": [}} {{}} {{x}}.'
    with pytest.raises(WrongFormat) as caught:
        parse_reply(reply, Form)
    rows = caught.value.why.splitlines()
    keys = [row.partition(":")[0] for row in rows]
    assert keys == ["Name", "Mark", "EthicalConcerns", "points"]


def test_the_forms_of_every_stage_are_read_in_the_spellings_of_the_ai_scientist() -> None:
    review = {
        "Summary": "It turns one knob and reports it.",
        "Strengths": ["plain"],
        "Weaknesses": "small",
        **dict.fromkeys(GRADES, "3"),
        "Ethical Concerns": False,
        "Overall": "6/10",
        "Confidence": 4.0,
        "Decision": "accept",
        "Rating": "x",
    }
    form = parse_reply(f"THOUGHT:\n{{…}}\n\nREVIEW JSON:\n{json.dumps(review)}", ReviewForm)
    assert (form.Overall, form.Confidence, form.Decision) == (6, 4, "Accept")
    assert (form.EthicalConcerns, form.Weaknesses, form.Soundness) == (False, ("small",), 3)
    idea = {"Name": "first", "Title": "Weight", "Experiment": "It is varied.", "Novelty": "7"}
    assert parse_reply(json.dumps(idea | {"name": "decay"}), Proposal).name == "decay"
    assert parse_reply(json.dumps(idea), Proposal).novelty == 7
    assert parse_reply('{"Decision": "Not_Novel"}', NoveltyAnswer).decision == "not novel"
    assert parse_reply('{"Query": null, "decision": "SEARCH"}', NoveltyAnswer).query == ""
    assert parse_reply('{"Queries": "one"}\n{}', Queries).queries == ("one",)


PIECES = st.sampled_from(
    ['{', '}', '"', '\\', '"a"', ':', ',', '[', ']', '1', 'NaN', 'True', '//', '/*', '*/', '\n',
     '```json\n', '```\n', '~~~\n', ' ', '\ud83d', '\\ud83d', '“', "'", '"Name": "it"', 'é']
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    for found in json_objects(text):
        assert found in text
        assert (found[0], found[-1]) == ("{", "}")
        try:
            assert isinstance(read_object(found), dict)
        except ValueError:
            continue
    with suppress(WrongFormat):
        assert isinstance(parse_reply(text, Form), Form)


def test_a_megabyte_of_open_braces_holds_no_object() -> None:
    assert json_objects("{" * 2**20) == json_objects('{"' * 2**19) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.sampled_from([None, 1]))
def test_json_without_a_slip_is_read_to_the_letter(
    value: dict[str, Any], indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=indent is None, indent=indent)
    whole = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    assert read_object(text) == whole
    assert text in json_objects(f"See {{this}}:\n{text}\n")


# --- asking again -------------------------------------------------------------------------

ASK = Ask(purpose="test.ask", messages=(Message("user", "Judge."),), max_tokens=100)
CUT = '{"Name": "it", "Mark"'


def ports_of(folder: Path, *replies: ReplyRule | str) -> tuple[Ports, ScriptedModel]:
    blobs, model = BlobStore(folder / "blobs"), ScriptedModel(replies)
    edges = Edges(model, rig.editor(blobs), rig.NoSandbox(), rig.TWO_PAPERS)
    journal = Journal(folder / "journal.jsonl", blobs)
    journal.append(run_started())
    return Ports(edges, journal, blobs, JournalBudget(), "run"), model


def cut(text: str) -> ReplyRule:
    return ReplyRule(text=text, finish="length")


def test_a_reply_that_was_cut_is_named_so_and_asked_for_with_twice_the_room(tmp_path: Path) -> None:
    ports, model = ports_of(tmp_path, cut(CUT), cut(f"<think>{PLAIN}"), PLAIN)
    assert ask_for(ports, ASK, Form) == READ
    assert [ask.max_tokens for ask in model.asks] == [100, 200, 400]
    assert "cut off after" in model.asks[1].messages[-1].content
    assert model.asks[1].messages[-2] == Message("assistant", CUT)
    assert model.asks[2].messages[-2] == Message("assistant", "(nothing)")


@pytest.mark.parametrize(
    "text",
    [CUT, "", " \n", f"<think>{PLAIN}", f"{PLAIN} is a draft. Now: {CUT}", f'{PLAIN}\n{{"Name": {{}}, "M'],
)  # fmt: skip
def test_a_reply_that_stays_cut_is_a_cut_reply(tmp_path: Path, text: str) -> None:
    ports, model = ports_of(tmp_path, cut(text), cut(text), cut(text))
    with pytest.raises(CutReply, match=r"step test\.ask(.|\n)*cut off after"):
        ask_for(ports, ASK, Form)
    assert len(model.asks) == 3


def test_of_a_reply_that_was_cut_after_its_object_nothing_is_missed(tmp_path: Path) -> None:
    ports, model = ports_of(tmp_path, cut(f"```json\n{PLAIN}\n```\nI hope that th"))
    assert ask_for(ports, ASK, Form) == READ
    assert len(model.asks) == 1


@pytest.mark.parametrize("text", ["", " \n", "<think>so</think>", f"<think>{PLAIN}"])
def test_a_reply_with_no_text_is_asked_for_again(tmp_path: Path, text: str) -> None:
    ports, model = ports_of(tmp_path / "a", text, PLAIN)
    assert ask_for(ports, ASK, Form) == READ
    assert [ask.max_tokens for ask in model.asks] == [100, 100]
    ports, _ = ports_of(tmp_path / "b", text, text, ReplyRule(text=text, finish="content_filter"))
    with pytest.raises(EmptyReply, match="content_filter"):
        ask_for(ports, ASK, Form)


def test_each_error_is_told_and_the_last_reply_decides_the_kind(tmp_path: Path) -> None:
    ports, model = ports_of(tmp_path, '{"Mark": 0.5}', "", "No.")
    with pytest.raises(WrongFormat) as caught:
        ask_for(ports, ASK, Form)
    assert isinstance(caught.value, BadReply)
    told = model.asks[1].messages[-1].content
    assert "Mark: must be a whole number from 1 to 10, not 0.5" in told
    assert "'Name' is missing" in told


@pytest.mark.parametrize(
    "reply",
    [
        "<think>{0}</think>{1}",
        "{0}</think>{1}",
        "<thinking>\n```json\n{0}\n```\n</thinking>\n```json\n{1}\n```",
        "```json\n{1}\n```\n<reasoning>\n{0}",
    ],
)
def test_reasoning_is_recorded_and_never_read(tmp_path: Path, reply: str) -> None:
    draft = '{"Name": "a draft", "Mark": 1}'
    text = reply.replace("{0}", draft)
    ports, model = ports_of(tmp_path, text.replace("{1}", "{…}"), text.replace("{1}", PLAIN))
    assert ask_for(ports, ASK, Form) == READ
    assert len(model.asks) == 2
    recorded = (tmp_path / "journal.jsonl").read_bytes()
    assert recorded.count(b"a draft") == 2
    again = Journal(tmp_path / "journal.jsonl", ports.blobs, Mode.REPLAY)
    replayed = Ports(absent("scripted"), again, ports.blobs, JournalBudget(), "run")
    assert ask_for(replayed, ASK, Form) == READ
    assert (tmp_path / "journal.jsonl").read_bytes() == recorded
