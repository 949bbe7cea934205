"""A run of several ideas that are reviewed by a panel and improved, with a scripted model's server."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

from orchestrator.api.prepare import RunRequest
from orchestrator.models.scripted import ReplyRule
from orchestrator.record.pins import ReviewPin
from orchestrator.research.loopback.author import from_model, loopback_author
from orchestrator.research.loopback.server import ModelServer
from orchestrator.research.prompts import data_blocks
from orchestrator.research.stages.review import GRADES
from tests.support import run_rig as rig

MODEL = "openai/scripted"
REVIEWING = ReviewPin(reviews=3, reflections=1, improve=1)
QUESTIONS = {
    "Small steps and the final loss": "Does a smaller step leave the fit further from its optimum at the end?",
    "Where gradient descent diverges": "From which rate on does the descent stop to converge, and how soon?",
    "Speed against precision": "Is what a faster start gains paid for by held-out errors later?",
}
"""Titles and questions of ideas, far enough apart to be three."""
MARKS = (3, 5)
"""The first idea's overall scores: before it was improved, and after."""


def request(results: Path, ideas: int, *, open_ended: bool) -> RunRequest:
    wanted = replace(rig.wanted(results, model=MODEL), price="1,1", ideas=ideas)
    return replace(wanted, reviewing=REVIEWING, open_ended=open_ended)


def proposal(title: str, question: str) -> str:
    """An idea that the author behind the server carries out as its sweep."""
    idea = {"name": "sweep_step_size", "title": title, "experiment": question}
    return json.dumps(idea | {"done": True})


def review(overall: int) -> str:
    points = {"Strengths": ["plain"], "Weaknesses": ["few seeds"], "Questions": ["why this range?"]}
    marks = dict.fromkeys(GRADES, 2) | {"Overall": overall, "Confidence": 4, "Decision": "Reject"}
    return json.dumps({"Summary": "It turns one knob and reports what came out."} | points | marks)


def served(ideas: int) -> ModelServer:
    """A server that proposes so many ideas, and marks the first one's paper :data:`MARKS`."""
    rules = [
        ReplyRule(purpose="ideas.propose", text=proposal(*one))
        for one in islice(QUESTIONS.items(), ideas)
    ]
    rules += [
        ReplyRule(purpose="review.form", text=review(mark), times=REVIEWING.reviews)
        for mark in MARKS
    ]
    return ModelServer(from_model(loopback_author(rules)))


def told_scores(server: ModelServer) -> list[list[float | None]]:
    """The scores in the archive of each proposal."""
    texts = [
        one["body"]["messages"][0]["content"]
        for one in server.requests()
        if one["purpose"] == "ideas.propose"
    ]
    return [[row["score"] for row in data_blocks(t)["archive"] if "score" in row] for t in texts]
