"""Studies that a language model carried out, kept as what it said and what its jobs measured.

``python -m tests.support.played RUN NAME`` condenses a run's folder into one file. Pictures and PDFs are
left out; the template is kept as it was, since the replies edit its lines.
"""

from __future__ import annotations

import json
import lzma
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from orchestrator.api.demo import RECORD, shipped_study
from orchestrator.api.export import FileExporter
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.decode import decode, encode
from orchestrator.core.edit import Edit, EditRequest
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Job
from orchestrator.core.literature import CheckedReference, Found, Query, References
from orchestrator.core.model import Ask, Message, Reply, Usage
from orchestrator.core.packed_folder import write_unpacked
from orchestrator.core.protocols import Editor, LanguageModel, Literature
from orchestrator.editor.aider import ProcessEditor
from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.editor.wire import visible_files
from orchestrator.literature.library.local import LocalLibrary
from orchestrator.literature.sources import Sources
from orchestrator.policy.schema import WholePolicy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import EnginePin, ReviewPin
from orchestrator.record.ports import Edges
from orchestrator.research.loose_json import json_objects, read_object
from orchestrator.research.pins import read_pins, template_of
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run import research
from orchestrator.research.run_spec import PursuedIdea, RunDeps
from orchestrator.research.stages.drafting import DRAFTS
from orchestrator.research.stages.refining import as_sections
from orchestrator.research.stages.sections import SECTIONS
from orchestrator.research.sweep.wording import json_reply
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from orchestrator.template.template import from_files
from tests.support import run_rig as rig
from tests.support.paper_rig import png
from tests.support.places import DATA

WORKER = shipped_root() / "sandbox/editor/worker.py"
STUDIES = DATA / "studies"
SHIPPED = "floating_start"
"""The study that ``aisci demo`` replays: it is kept once, as its record."""
TOKENS = (
    20_000_000  # of an idea and a run: a whole study takes more than the policies of tests allow
)
KEPT_EDITS = {"plots.edit": "plot.py", "notes.edit": "notes.txt"}
"""Edits that are kept as the file after them: what stood before them changes with the program."""
CORRECTED = {
    "cite.pick", "cite.draft", "plots.edit", "plots.look", "verify.fix", "compile.fix", "writeup.fix", "writeup.read",
    "writeup.discussion", "review.answered", "doubt.read", "writeup.doubted",
    "critique",
}  # fmt: skip
"""What may be asked for more often than then: what is found wrong changes with the program."""
_TEXTS = (".json", ".csv", ".txt", ".md")


def condense(folder: Path) -> dict[str, Any]:
    """A run of one idea as its template, the replies in order, and what each job left."""
    paths = RunPaths(folder)
    pins = read_pins(paths)
    template = template_of(pins, paths)
    blobs = BlobStore(paths.blobs)
    (own,) = folder.glob("*/journal.jsonl")
    journals = [
        Journal(paths.journal, blobs, Mode.REPLAY),
        Journal(own, BlobStore(own.parent / "blobs", blobs), Mode.REPLAY),
    ]
    replies: list[list[str]] = []
    edits: list[list[str]] = []
    jobs: dict[str, dict[str, Any]] = {}
    found: dict[str, Any] = {}
    for journal in journals:
        for step in steps(journal):
            if step.port == "model" and isinstance(step.answer, Reply):
                purpose = step.model_request.ask.purpose
                replies.append([purpose, _as_text(purpose, step.answer.text)])
            elif step.port == "sandbox" and step.job.kind != "latex":
                jobs[step.place] = _condensed(journal, step.result)
            elif step.port == "editor" and step.edit_request.purpose in KEPT_EDITS and step.answer:
                after = step.edit.files.as_dict()[KEPT_EDITS[step.edit_request.purpose]]
                edits.append([step.edit_request.purpose, journal.blobs.get(after).decode()])
            elif isinstance(step.request, Query) and isinstance(step.answer, Found):
                found[step.request.text] = encode(Found, step.answer)
    files = {path: data.decode() for path, data in template.files.items()}
    return {
        "template": {"name": template.name, "files": files},
        "scale": pins.scale,
        "sees": pins.model().sees,
        "reviewing": asdict(pins.reviewing),
        "novelty": pins.novelty,
        "replies": replies,
        "edits": edits,
        "jobs": jobs,
        "found": found,
    }


def _as_text(purpose: str, reply: str) -> str:
    """A section that was written as an edit of the paper's source, as its text."""
    block = re.search(r"^=======\n(.*?)\n>>>>>>> REPLACE", reply, re.MULTILINE | re.DOTALL)
    return block[1] if block and purpose.startswith("writeup.") else reply


def _condensed(journal: Journal, result: Any) -> dict[str, Any]:
    files = {
        path: journal.blobs.get(sha256).decode() if path.endswith(_TEXTS) else ""
        for path, sha256 in result.files.files
    }
    return {
        "files": files,
        "stdout": result.stdout,
        "stderr": result.stderr,
        "exit": result.exit_code or 0,
        "seconds": result.attestation.peaks.wall,
    }


_NO_CORRECTION = '```json\n{"corrections": []}\n```'
_NOTHING = {
    "doubt.read": '```json\n{"doubts": []}\n```',
    "cite.draft": '```json\n{"done": true}\n```', "plots.edit": "There is nothing more to correct.",
    "critique": '```json\n{"questions": [], "runs": []}\n```',
    "review.answered": "Nobody was asked this when the study was made.",
    "plots.look": '```json\n{"figures": []}\n```',
    "writeup.discussion": "What these results mean together is said with the results above. " * 3,
}  # fmt: skip
"""What an author answers that has nothing more to say."""


def _every_paper(ask: Ask) -> str:
    """The choice of every paper that was found: these studies were written before there was one."""
    papers = data_blocks(ask.messages[-1].content)["papers"][:30]
    return json_reply({"citations": [{"key": one["key"], "why": "found"} for one in papers]})


def _to_each_point(reply: str, ask: Ask) -> str:
    """An improvement with as many answers as there are points now, in the words of then."""
    told, mark, sections = reply.partition("%% SECTION")
    answers = json.loads(re.sub(r"```(?:json)?", "", told))["answers"]
    points = data_blocks(ask.messages[-1].content)["points"]
    rows = [{**answers[min(n, len(answers)) - 1], "point": n} for n in range(1, len(points) + 1)]
    return f"{json_reply({'answers': rows})}\n{mark}{sections}"


def _in_one_pass(replies: list[list[str]]) -> list[list[str]]:
    """The replies, with the second pass of a study that refined its sections, or each by itself, and then read the
    whole, as one reply.
    """
    texts = [text for purpose, text in replies if purpose == "writeup.refine"]
    reads = [text for purpose, text in replies if purpose == "writeup.read"]
    others = [one for one in replies if one[0] not in {"writeup.refine", "writeup.read"}]
    names = [one.name for one in SECTIONS if one.name != "title"]
    if not any("%% SECTION" in text for text in texts):
        # Where some were asked for again their sections are not known.
        known = zip(names, texts, strict=True) if len(texts) == len(names) else ()
        parts = {name: text for name, text in known if text.strip().strip("`.").upper() != "KEEP"}
        texts = [as_sections(parts)] if parts else []
    read = reads[-1] if reads else _NO_CORRECTION
    if not texts:
        return [*others, *(["writeup.read", text] for text in reads)]
    return [*others, *(["writeup.read", f"{read}\n\n{text}"] for text in texts)]


def _in_parts(replies: list[list[str]]) -> list[list[str]]:
    """The replies, with sections that were asked for one by one and now are asked for together as one reply."""
    for first, *others in filter(lambda part: len(part) > 1, DRAFTS):
        names = (first, *others)
        last = {
            name: text
            for name in names
            for purpose, text in replies
            if purpose == f"writeup.{name}"
        }
        if not {*others} & {*last}:
            continue
        rest = [one for one in replies if one[0] not in {f"writeup.{name}" for name in names}]
        replies = [*rest, [f"writeup.{first}", as_sections(last)]]
    return replies


_BY_SENTENCE = ("writeup.fix", "writeup.doubted", "verify.fix")
"""Requests that name sentences: which these are, and in which order they come, changes with the program."""
_NAMED = re.compile(r"^(S\d+) \([a-z ]+\): (.+)$", re.MULTILINE)
_LIKE = 0.6  # how alike a sentence and its correction are, of 1


def _of_these_sentences(ask: Ask, texts: Iterable[str]) -> str:
    """The kept corrections of the sentences that a request names, each found by its likeness. A sentence
    that no number carries and that was not corrected then is left out.
    """
    kept = [row["text"] for text in texts for row in _rows(text) if row.get("text")]
    rows = []
    for name, said in _NAMED.findall(ask.messages[-1].content):
        alike = {text: SequenceMatcher(None, said, text, autojunk=False).ratio() for text in kept}
        best = max(alike, key=lambda text: alike[text], default="")
        found = best if best and alike[best] >= _LIKE else ""
        if found or ask.purpose != "writeup.doubted":  # what only a reader doubts may stand
            rows.append({"sentence": name, "text": found})
    return json_reply({"corrections": rows})


def _rows(reply: str) -> list[dict[str, str]]:
    for found in json_objects(reply):
        rows: list[dict[str, str]] = read_object(found).get("corrections", [])
        return rows
    return []


class Played:
    """The model of a kept study: for each purpose its replies in order; past their end it fails."""

    name = "scripted/played"

    def __init__(self, replies: list[list[str]]) -> None:
        self._replies = _in_parts(_in_one_pass(replies))
        self.asked: Counter[str] = Counter()

    def ceiling(self, ask: Ask) -> Usage:  # noqa: ARG002 - the port's
        return Usage()

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:  # noqa: ARG002 - the port's
        texts = [text for purpose, text in self._replies if purpose == ask.purpose]
        self.asked[ask.purpose] += 1
        if ask.purpose in _BY_SENTENCE:
            return Reply(_of_these_sentences(ask, texts), Usage(), self.name)
        if self.asked[ask.purpose] > len(texts):
            assert ask.purpose in CORRECTED, f"{ask.purpose} was not asked so often"
            if ask.purpose == "cite.pick":
                return Reply(_every_paper(ask), Usage(), self.name)
            return Reply(_NOTHING.get(ask.purpose, _NO_CORRECTION), Usage(), self.name)
        text = texts[self.asked[ask.purpose] - 1]
        if ask.purpose == "writeup.improve":
            text = _to_each_point(text, ask)
        return Reply(text, Usage(), self.name)

    @property
    def unasked(self) -> set[str]:
        """The purposes that the study had and this run did not."""
        return {purpose for purpose, _ in self._replies} - set(self.asked)


def jobs_of(kept: dict[str, Any], blobs: BlobStore) -> Callable[[Job], Ending]:
    """Each job as the study's own ended; LaTeX as on a good day."""

    def ending(job: Job) -> Ending:
        if job.kind == "latex":
            source = blobs.get(job.files.as_dict()["latex/template.tex"]).decode()
            pages = _pages(source)
            files = rig.compiled(source)
            report = json.loads(files["latex/out/report.json"]) | {"pages": len(pages)}
            files["latex/out/report.json"] = json.dumps(report).encode()
            files["latex/out/pages.json"] = json.dumps(pages).encode()
            return Ending(files=files)
        place = "/".join(job.scope.split("/")[2:]) or job.scope
        stage = place.rpartition("/")[0]  # a further attempt ends as the one before it
        known = [name for name in kept["jobs"] if name in {place, f"{stage}/attempt_1"}]
        return _ending(kept["jobs"][place if place in known else known[0]])

    return ending


def _pages(source: str) -> list[str]:
    """A source in pages of whole lines, so that no number is cut in two; no page shows a column's width."""
    pages = [""]
    source = source.replace("\\bibliography{", "\nReferences\n\\bibliography{")
    for line in re.sub(r"p\{[\d.]+pt\}", "l", source).splitlines(keepends=True):
        if len(pages[-1]) > 5000:
            pages.append("")
        pages[-1] += line
    return pages


def _ending(kept: dict[str, Any]) -> Ending:
    files = {
        path: text.encode() if path.endswith(_TEXTS) else png(600, 300)
        for path, text in kept["files"].items()
    }
    return Ending(
        files=files, exit_code=kept["exit"], stdout=kept["stdout"], stderr=kept["stderr"],
        seconds=min(kept["seconds"], 20.0),  # the policies of tests allow less than a study's
    )  # fmt: skip


class KeptLiterature:
    """What the searches of a kept study found; other words find nothing, and every reference agrees."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def search(self, query: Query, within: Deadline = FOREVER) -> Found:  # noqa: ARG002 - the port's
        return decode(Found, self._found.get(query.text, {}))

    def check(
        self,
        references: References,
        within: Deadline = FOREVER,  # noqa: ARG002 - the port's
    ) -> tuple[CheckedReference, ...]:
        return tuple(
            CheckedReference(key=one.key, state="agrees" if one.id else "not checked")
            for one in references.references
        )


class KeptEditor:
    """The editor of a kept study: Aider, but for the files that are kept as they were edited."""

    def __init__(self, real: Editor, kept: dict[str, Any], blobs: BlobStore) -> None:
        self._real, self._scripted = real, ScriptedEditor(blobs, self._edit)
        self._blobs = blobs
        self._edits: list[list[str]] = [*kept["edits"]]

    def edit(self, request: EditRequest, model: LanguageModel, within: Deadline) -> Edit:
        editor = self._scripted if request.purpose in KEPT_EDITS else self._real
        return editor.edit(request, model, within)

    def _edit(self, request: EditRequest, model: LanguageModel) -> dict[str, bytes]:
        files = request.files.as_dict()
        shown = {
            path: self._blobs.get(files[path]).decode() for path in visible_files(request).paths()
        }
        texts = [f"{path}\n```\n{text}```\n" for path, text in shown.items()]
        messages = Message("user", "\n".join(texts)), Message("user", request.instruction)
        model.complete(Ask(purpose=request.purpose, messages=messages), FOREVER)
        for at, (purpose, text) in enumerate(self._edits):
            if purpose == request.purpose:
                del self._edits[at]
                return {KEPT_EDITS[purpose]: text.encode()}
        return {}


def carry_out(
    kept: dict[str, Any],
    model: Played,
    scratch: Path,
    engines: tuple[EnginePin, ...] = (),
    searching: Callable[[Literature], Literature] = lambda one: one,
) -> tuple[PursuedIdea, Path]:
    """Take a kept study through the present program, with real Aider: its outcome and the run's folder.
    ``searching`` makes of what was found then what is searched.
    """
    sources = {path: text.encode() for path, text in kept["template"]["files"].items()}
    template = from_files(sources, kept["template"]["name"], "kept")
    spec = rig.setup(scratch)
    settings = spec.policy.settings
    for block in ("idea", "run"):
        settings[block]["budget"]["tokens"] = TOKENS
    spec = replace(
        spec,
        policy=replace(spec.policy, whole=WholePolicy.model_validate(settings)),
        template=template,
        scale=kept["scale"],
        model=model.name,
        author=model.name,
        sees=kept["sees"],
        engines=engines,
        reviewing=ReviewPin(**kept.get("reviewing", {})),
        novelty=kept.get("novelty", True),
    )
    listed = LocalLibrary.from_bytes(template.files["library.json"], "library.json")
    library: Literature = Sources([("template", listed)])
    if kept.get("found"):
        library = KeptLiterature(kept["found"])
    library = searching(library)

    def edges(blobs: BlobStore) -> Edges:
        sandbox = ScriptedSandbox(blobs, jobs_of(kept, blobs))
        editor = KeptEditor(ProcessEditor(blobs, WORKER), kept, blobs)
        return Edges(model, editor, sandbox, library)

    folder = scratch / "run"
    tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
    (outcome,) = research(spec, rig.place(folder, Mode.RECORD), tools)
    return outcome, folder


def load(name: str) -> dict[str, Any]:
    """A kept study; the shipped one is condensed from its record."""
    if name == SHIPPED:
        with tempfile.TemporaryDirectory() as scratch:
            return condense(shipped_record(Path(scratch)))
    kept: dict[str, Any] = json.loads(lzma.decompress((STUDIES / f"{name}.json.xz").read_bytes()))
    return kept


def shipped_record(folder: Path) -> Path:
    """The record of the shipped study, written into ``folder``."""
    files = {name: data for name, data in shipped_study().items() if name.startswith(RECORD)}
    write_unpacked(files, folder)
    return folder / RECORD


def main() -> None:
    folder, name = sys.argv[1:]
    STUDIES.mkdir(exist_ok=True)
    data = json.dumps(condense(Path(folder)), ensure_ascii=False, indent=0).encode()
    (STUDIES / f"{name}.json.xz").write_bytes(lzma.compress(data, preset=9))


if __name__ == "__main__":
    main()
