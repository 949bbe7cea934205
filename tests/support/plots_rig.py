"""The stage that draws figures, with an author whose replies a test writes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import EditRequest
from orchestrator.core.model import Ask, Message, Reply, Usage
from orchestrator.core.protocols import LanguageModel, Sandbox
from orchestrator.core.tree import Tree
from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal
from orchestrator.record.notes import FiguresInspected
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.plots import draw_plots
from tests.support import paper_rig

FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def program(source: str) -> str:
    """A reply that puts this source in place of ``plot.py``."""
    return f"```python\n{source}\n```\n"


class Author:
    """A model that gives these replies in turn, the last one for ever."""

    name = "scripted/author"

    def __init__(self, replies: list[str]) -> None:
        self.replies, self.asked = replies, list[str]()

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002 - the port's
        return Usage()

    def complete(self, ask: Ask, within: Deadline) -> Reply:  # noqa: ARG002 - the port's
        self.asked += [message.content for message in ask.messages[-1:]]
        return Reply(self.replies[min(len(self.asked), len(self.replies)) - 1], Usage(), self.name)

    @property
    def troubles(self) -> list[str]:
        """What each request but the first said of the attempt before it."""
        return [data_blocks(text)["feedback"]["trouble"] or "" for text in self.asked[1:]]


class Stage:
    """``draw_plots`` on a finished study, over ``sandbox``."""

    def __init__(self, folder: Path, sandbox: Sandbox, blobs: BlobStore, *replies: str) -> None:
        self.author, self.blobs = Author(list(replies)), blobs
        self.journal = Journal(folder / "journal.jsonl", blobs)
        edges = Edges(self.author, ScriptedEditor(blobs, self._edit), sandbox, paper_rig.TWO_PAPERS)
        self.ports = Ports(edges, self.journal, blobs, JournalBudget(), "idea")

    def _edit(self, request: EditRequest, model: LanguageModel) -> dict[str, bytes]:
        ask = Ask(purpose=request.purpose, messages=(Message("user", request.instruction),))
        sources = FENCE.findall(model.complete(ask, FOREVER).text)
        return {"plot.py": sources[-1].encode()} if sources else {}

    def study(self) -> Study:
        return paper_rig.study(self.blobs)

    def draw(self) -> Study:
        study = self.study()
        return draw_plots(replace(study, tree=_with_runs(study, self.blobs)), self.ports)

    @property
    def noted(self) -> FiguresInspected:
        return self.journal.notes(FiguresInspected, below="idea")[-1]


def _with_runs(study: Study, blobs: BlobStore) -> Tree:
    """The study's files, less figures that were drawn before, with a file for each run."""
    files = {f"run_{run.number}/final_info.json": blobs.put(b"{}") for run in study.runs}
    return Tree(tuple(pair for pair in study.tree.files if "png" not in pair[0])).updated(files)
