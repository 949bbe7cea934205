"""Asking until a reply can be used: a conversation that is too long goes on without its middle."""

from __future__ import annotations

import pytest

from orchestrator.core.asking import ask_until, condensed
from orchestrator.core.errors import BadReply, ModelRefused, TooLong
from orchestrator.core.model import Ask, Message, Reply, Usage


def conversation(turns: int) -> Ask:
    said = [Message("user", "the facts")]
    for number in range(turns):
        said += [Message("assistant", f"answer {number}"), Message("user", f"task {number}")]
    return Ask(purpose="writeup.results", messages=tuple(said))


class Narrow:
    """A model whose context holds so many messages."""

    def __init__(self, most: int) -> None:
        self.most, self.asked = most, list[Ask]()

    def complete(self, ask: Ask) -> Reply:
        self.asked.append(ask)
        if len(ask.messages) > self.most:
            raise TooLong("too long", where="here", todo="choose another model")
        return Reply("Yes.", Usage(), "narrow")


def asked(model: Narrow, ask: Ask) -> str:
    def refuse(error: BadReply) -> str:
        raise AssertionError(error)

    return ask_until(model.complete, ask, lambda reply, _: reply.text, refuse)


@pytest.mark.parametrize("most", [3, 4, 5, 9, 19])
def test_a_conversation_is_cut_in_its_middle_until_it_fits(most: int) -> None:
    model, whole = Narrow(most), conversation(10)
    assert asked(model, whole) == "Yes."
    last = model.asked[-1].messages
    assert len(last) <= most
    assert last[0] == whole.messages[0], "the facts stay"
    assert last[-1].content.startswith("task 9"), "and the task"
    assert last[-1].content.count("left out") == 1, "it is told, once"
    roles = [one.role for one in last]
    assert roles == ["user", "assistant"] * (len(last) // 2) + ["user"], "turns stay turns"
    assert [one.content for one in last[1:-1]] == [
        one.content for one in whole.messages[-len(last) + 1 : -1]
    ], "what was said last stays"


def test_facts_that_are_too_long_by_themselves_are_refused() -> None:
    model = Narrow(0)
    with pytest.raises(TooLong):
        asked(model, conversation(0))
    with pytest.raises(ModelRefused):
        asked(model, conversation(3))
    assert condensed(conversation(1)) is None
