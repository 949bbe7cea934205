"""A finished study to write a paper about: the shipped template, made-up but plausible results.

The editor is the scripted fake around the real author ``builtin/sweep``: it shows the source as
Aider does and applies SEARCH/REPLACE blocks, so a stage meets what it meets in a real run.
"""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import EditRequest
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job, JobResult
from orchestrator.core.literature import PaperRef, Query
from orchestrator.core.model import Ask, Message, Reply
from orchestrator.core.protocols import Blobs, LanguageModel, Literature, Sandbox
from orchestrator.core.research import Figure, Idea, Novelty, Run
from orchestrator.core.tree import Tree
from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.literature.sources import Sources
from orchestrator.policy.policy import load_policy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.budget import JournalBudget
from orchestrator.record.journal import Journal
from orchestrator.record.ports import Edges, Ports
from orchestrator.research.run_spec import Study
from orchestrator.research.sweep import SweepModel
from orchestrator.template.results import Dataset, Results
from orchestrator.template.template import load_template
from tests.support.places import DATA

BLOCK = re.compile(r"<<<<<<< SEARCH\n(.*?\n)?=======\n(.*?\n)?>>>>>>> REPLACE", re.DOTALL)
PAPERS = (
    PaperRef(key="krogh1992simple", title="A Simple Weight Decay Can Improve Generalization",
             authors=("Anders Krogh", "John A. Hertz"), year=1992, venue="NeurIPS"),
    PaperRef(key="kingma2015adam", title="Adam: A Method for Stochastic Optimization",
             authors=("Diederik P. Kingma", "Jimmy Ba"), year=2015, venue="ICLR"),
)  # fmt: skip


class Shelf:
    """Two papers, whatever is asked."""

    def search(self, query: Query) -> tuple[PaperRef, ...]:
        return PAPERS[: query.limit]


TWO_PAPERS = Sources([("template", Shelf())])
"""A literature port that knows two papers."""


class NoSandbox:
    """A sandbox for tests that compile nothing."""

    def run(self, job: Job, within: Deadline) -> JobResult:  # noqa: ARG002  # the port's
        raise AssertionError(f"nothing was to run, and {job.argv} was")


def png(width: int, height: int) -> bytes:
    """A small grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + bytes((x * 255 // width) for x in range(width)) for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def results(shift: float, sample: random.Random) -> Results:
    """One run's numbers on two tasks: ``shift`` makes the loss higher."""

    def data() -> Dataset:
        means = {
            "final_val_loss_mean": 0.8 + shift + sample.uniform(0, 0.4),
            "final_val_acc_mean": 0.7 - shift / 4 + sample.uniform(0, 0.1),
            "step_val_acc_99_mean": float(400 - sample.randrange(0, 5) * 25),
            "final_train_loss_mean": 0.01 + sample.uniform(0, 0.01),
            "final_train_acc_mean": 1.0,
            "initial_val_loss_mean": 3.6 + sample.uniform(0, 0.2),
        }
        errors = {name: abs(mean) * sample.uniform(0.01, 0.05) for name, mean in means.items()}
        return Dataset(means, errors | {"final_train_acc_mean": 0.0})

    return Results({"x_minus_y": data(), "x_plus_y": data()})


def with_constant(blobs: Blobs, source: bytes, name: str, value: float) -> Tree:
    """The code of an experiment with another value of one constant."""
    pattern = rf"(?m)^({name} = )[\d.]+"
    changed = re.sub(pattern, rf"\g<1>{value!r}", source.decode())
    return Tree.of({"experiment.py": blobs.put(changed.encode())})


def study(blobs: Blobs, seed: int = 1) -> Study:
    """Baseline and two runs of the shipped template, at smoke scale, with two figures."""
    template = load_template("grokking", shipped_root())
    files = {name: blobs.put(data) for name, data in template.files.items()}
    figures = ("final_comparison.png", "val_curves.png")
    pictures = {name: blobs.put(png(600, 300)) for name in figures}
    sample = random.Random(seed)
    about = [
        "the template as it is",
        "WEIGHT_DECAY = 0.0 instead of 0.5",
        "WEIGHT_DECAY = 0.1 instead of 0.5",
    ]
    source = template.files["experiment.py"]
    codes = [with_constant(blobs, source, "WEIGHT_DECAY", n) for n in (0.5, 0.0, 0.1)]
    runs = tuple(
        Run(
            number=n,
            code=codes[n],
            files=Tree(),
            description=text,
            attempts=1,
            seconds=1.0,
            name="baseline" if n == 0 else f"r{n}",
        )
        for n, text in enumerate(about)
    )
    return Study(
        idea=Idea(
            name="sweep_weight_decay",
            title="A sweep of weight decay in grokking on small algebraic tasks",
            experiment="The constant WEIGHT_DECAY in experiment.py is set to other values of the "
            "declared list (0.0, 0.1, 0.5); its default is 0.5.",
        ),
        template=template,
        policy=load_policy("ci-cpu", shipped_root() / "policies"),
        scale="smoke",
        author="builtin/sweep",
        novelty=Novelty(decision="undecided", reason="not judged"),
        tree=Tree.of(files | pictures | {"notes.txt": blobs.put(b"notes\n")}),
        runs=runs,
        results=tuple((n, results(0.3 * n, sample)) for n in range(3)),
        pictures=tuple(Figure(name=name, caption=f"What {name} shows.") for name in figures),
    )


def plain_study(blobs: Blobs) -> Study:
    """A replication on a folder with no manifest, whose metrics have names of its own."""
    template = load_template(f"{DATA}/plain_template", shipped_root())
    files = {name: blobs.put(data) for name, data in template.files.items()}
    name = "the_very_long.nested_name.of_a_metric_that_fills_a_column"
    rows = [
        Results({"set one": Dataset({name: 3.25 + n, "value": 1e-7 * (n + 1)}, {name: 0.5})})
        for n in range(2)
    ]
    return replace(
        study(blobs),
        idea=Idea(name="replicate_seeds_1", title="A replication", experiment="Other seeds."),
        template=template,
        scale="full",
        tree=Tree.of(files | {"plot.png": blobs.put(png(60, 30)), "notes.txt": blobs.put(b"n")}),
        results=tuple(enumerate(rows)),
        runs=study(blobs).runs[:2],
        pictures=(Figure(name="plot.png", caption="The sample, smoothed."),),
    )


Author = Callable[[EditRequest, dict[str, str]], str]
"""What an editor's model answers to a request and the files it was shown."""


def sweep(request: EditRequest, files: dict[str, str]) -> str:
    """``builtin/sweep``, asked as Aider asks."""
    shown = "\n".join(f"{path}\n```\n{text}```\n" for path, text in files.items())
    messages = (Message("user", shown), Message("user", request.instruction))
    return SweepModel().complete(Ask(purpose=request.purpose, messages=messages)).text


def editor(blobs: Blobs, author: Author = sweep) -> ScriptedEditor:
    """Shows the files, takes the author's SEARCH/REPLACE blocks, applies those that fit."""

    def script(request: EditRequest, model: LanguageModel) -> dict[str, bytes]:  # noqa: ARG001 - the fake's signature
        sources = request.files.as_dict()
        files = {path: blobs.get(sources[path]).decode() for path in request.editable}
        reply = author(request, files)
        path = request.editable[0]
        text = files[path]
        for old, new in BLOCK.findall(reply):
            text = text.replace(old, new, 1)
        return {path: text.encode()} if text != files[path] else {}

    return ScriptedEditor(blobs, script)


class Writer(SweepModel):
    """``builtin/sweep`` whose replies ``change`` may change; it keeps what it was asked."""

    def __init__(self, change: Callable[[Ask, str], str]) -> None:
        self.change, self.asked = change, list[Ask]()

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        self.asked.append(ask)
        reply = super().complete(ask, within)
        return replace(reply, text=self.change(ask, reply.text))


def ports(
    folder: Path,
    author: Author = sweep,
    sandbox: Sandbox | None = None,
    model: LanguageModel | None = None,
    literature: Literature = TWO_PAPERS,
) -> Ports:
    """Recorded ports over scripted edges; ``sandbox`` if something is to be compiled."""
    blobs = BlobStore(folder / "blobs")
    edges = Edges(model or SweepModel(), editor(blobs, author), sandbox or NoSandbox(), literature)
    return Ports(edges, Journal(folder / "journal.jsonl", blobs), blobs, JournalBudget(), "idea")


def with_source(given: Study, here: Ports, tex: str) -> Study:
    return replace(given, tree=given.tree.updated({"latex/template.tex": here.keep(tex)}))
