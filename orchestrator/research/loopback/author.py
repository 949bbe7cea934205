"""The author behind the server: ``builtin/sweep``, and the answers that a sweep leaves out.

A sweep gives no marks and improves nothing. Here the marks of a review count the parts that its checklist
found in the paper, so that panels, improvement and open-ended runs are gone through. They judge nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import partial

from orchestrator.core.deadline import FOREVER
from orchestrator.core.errors import AisciError
from orchestrator.core.model import Ask, Message
from orchestrator.core.protocols import LanguageModel
from orchestrator.models.scripted import ReplyRule, ScriptedModel
from orchestrator.research.loopback.answers import ChatBody, Fail, ServerAnswer, Stop, text_of
from orchestrator.research.loopback.server import Script
from orchestrator.research.stages.review import GRADES
from orchestrator.research.sweep import swept
from orchestrator.research.sweep.paper import conclusion
from orchestrator.research.sweep.planning import SWEEP_ANSWERS, checklist
from orchestrator.research.sweep.wording import PromptData, json_reply, measured_runs

_ACCEPTED = 6  # of ten
_LIMIT = "What a reader asked beyond this has no result here: no further run could be made when it was asked."


def loopback_author(rules: Iterable[ReplyRule] = ()) -> ScriptedModel:
    """Answers by ``rules`` where one expects a request, else as ``builtin/sweep`` or, where that has no
    answer, for itself. Every step of a run has one, but ``instruments.edit``, which no sweep asks for.
    """
    own = [
        ReplyRule(purpose=purpose, text=partial(swept, answer), times=0)
        for purpose, answer in (SWEEP_ANSWERS | _OWN_ANSWERS).items()
    ]
    return ScriptedModel([*rules, *own], "loopback")


def from_model(model: LanguageModel) -> Script:
    """Answer as ``model`` would, told of the purpose by a header; its errors are refusals of the request."""

    def script(body: ChatBody) -> ServerAnswer:
        messages = tuple(Message(one["role"], text_of(one["content"])) for one in body["messages"])
        room = body.get("max_completion_tokens") or body.get("max_tokens") or 4096
        ask = Ask(purpose=body["purpose"], messages=messages, max_tokens=room)
        try:
            reply = model.complete(ask, FOREVER)
        except AisciError as error:
            return Fail(400, " ".join(str(error).split()))
        except (LookupError, ValueError, StopIteration) as error:  # no prompt of aisci's
            why = f"the messages lack what {ask.purpose} is answered from: {error!r}"
            return Fail(400, why)
        return reply.text if reply.finish == "stop" else Stop(reply.text, reply.finish)

    return script


def _marked(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """The checklist, one question, and marks: the number of parts that were found."""
    found = checklist(data)
    there, absent = len(found["Strengths"]), len(found["Weaknesses"])
    grade = 1 + 3 * there // (there + absent)
    marks = dict.fromkeys(GRADES, grade) | {"Overall": max(there, 1), "Confidence": 1}
    asked = {"Questions": ["What would values show that were not tried?"], "EthicalConcerns": False}
    decision = "Accept" if there >= _ACCEPTED else "Reject"
    return json_reply(found | asked | marks | {"Decision": decision})


def _summed_up(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """What the reviews say, each point once."""
    keys = ("Strengths", "Weaknesses", "Questions", "Limitations")
    points = {
        key: list(dict.fromkeys(p for one in data["reviews"] for p in one[key.lower()]))[:20]
        for key in keys
    }
    summary = (
        f"{len(data['reviews'])} reviews by a checklist; each point of theirs stands here once."
    )
    return json_reply({"Summary": summary, **points, "EthicalConcerns": False, "Decision": ""})


def _limits(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """Each point is a limit, which the conclusion then names, as every template has one."""
    note = "The conclusion says that the study has no result on this."
    rows = [{"point": one["point"], "kind": "limit", "note": note} for one in data["points"]]
    text = f"{conclusion(measured_runs(data))} {_LIMIT}"
    return f"{json_reply({'answers': rows})}\n%% SECTION conclusion\n\n{text}\n"


def _unmoved(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """The mark that was given before, and no point settled: it cannot read."""
    given = re.search(r"You gave it (\d+) of 10", ask.messages[-1].content)
    return json_reply({"settled": [], "worse": "", "Overall": int(given[1]) if given else 1})


def _settled(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    """The proposal as it was."""
    return json_reply(json.loads(ask.messages[-2].content) | {"done": True})


def _nothing_wrong(data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    return json_reply(
        {"figures": [{"file": one["name"], "problems": []} for one in data["figures"]]}
    )


def _word(word: str, data: PromptData, ask: Ask) -> str:  # noqa: ARG001 - one signature for all answers
    return word


_OWN_ANSWERS: dict[str, Callable[[PromptData, Ask], str]] = {
    "ideas.reflect": _settled,
    "plots.look": _nothing_wrong,
    "review.form": _marked,
    "review.reflect": partial(_word, "DONE"),
    "review.meta": _summed_up,
    "review.answered": _unmoved,
    "writeup.improve": _limits,
    "doctor.model": partial(_word, "ready"),
}
