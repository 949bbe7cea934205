"""Records the study that ``aisci demo`` replays again: after a change of prompts, stages or the journal.

``python -m tests.support.demo_recording`` takes the model's answers, the measurements, figures and papers from
the shipped archive; where a paper's source is another one now, that needs LaTeX, and with ``--engine`` every
container and every edit is real. ``--answers FOLDER`` holds what a language model answered to requests that the study
did not have, or had in another form, as ``PURPOSE.md`` each, in place of the first kept answer (``PURPOSE.2.md``: of the second). Without an answer to a request
that is new the request is written there, and nothing is recorded. It writes ``orchestrator/api/demo_study.tar.xz``.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.api.adapters import real_edges
from orchestrator.api.demo import ABOUT, ARCHIVE, MADE, RECORD
from orchestrator.api.export import FileExporter, open_journal
from orchestrator.api.images import resolve_images
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import Job, JobResult
from orchestrator.core.model import SWEEP, Ask, Reply, Usage
from orchestrator.core.packed_folder import packed
from orchestrator.core.protocols import Sandbox
from orchestrator.core.tree import Tree, digest
from orchestrator.core.untrusted import file_hash, folder_entries
from orchestrator.editor.aider import ProcessEditor
from orchestrator.policy.schema import WholePolicy
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import steps
from orchestrator.record.journal import Mode
from orchestrator.record.paths import IdeaPaths
from orchestrator.record.pins import ReviewPin
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps, RunSpec
from orchestrator.research.sweep.wording import replace as with_block
from orchestrator.research.sweep.wording import shown_files
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.scripted import Ending, ScriptedSandbox
from orchestrator.template.template import from_files
from tests.support import played
from tests.support import run_rig as rig

_BLOCK = re.compile(
    r"^[\w./]+\n(`{3,})\w*\n<{7} SEARCH\n.*?>{7} REPLACE\n\1\n?", re.MULTILINE | re.DOTALL
)
_SEARCH = re.compile(r"^<{7} SEARCH\n(.*?)^={7}\n", re.MULTILINE | re.DOTALL)
Endings = Callable[[BlobStore], Callable[[Job], Ending]]

SCRIPTED = (
    "A language model made this study; its answers and measurements are the recorded ones.",
    "Figures and papers were made from them without containers, so no page shows a container's limits.",
    "Tokens are a quarter of the texts' characters; what the study cost then is not known.",
)
REAL = (
    "A language model made this study; its answers are the recorded ones.",
    "They were given again to this program: each container and each edit of the record was real.",
    "Tokens are a quarter of the texts' characters; what the study cost then is not known.",
)


class Counted(played.Played):
    """The study's model, with tokens that are counted from the texts."""

    name = "recorded/language-model"

    def __init__(
        self, replies: list[list[str]], answers: Path | None, edits: Iterable[list[str]] = ()
    ) -> None:
        super().__init__(replies)
        self._edits = [*edits]
        self._answers, self._known = answers, {purpose for purpose, _ in replies}
        files = answers.glob("*.md") if answers else ()
        self._fresh = {file.stem: file.read_text() for file in files}

    def _answer(self, ask: Ask) -> Reply | None:
        """The fresh answer to this request; a request that is new and has none is written to the folder."""
        again = self.asked[ask.purpose] + 1
        if text := self._fresh.get(ask.purpose if again == 1 else f"{ask.purpose}.{again}"):
            self.asked[ask.purpose] += 1
            self._known.add(ask.purpose)
            return Reply(text, Usage(), self.name)
        if self._answers is not None and ask.purpose not in self._known:
            file = self._answers / f"{ask.purpose}.md"
            asked = "\n\n".join(f"[{one.role}]\n{one.content}" for one in ask.messages)
            file.with_suffix(".request").write_text(asked)
            raise KeyboardInterrupt(f"answer {file.with_suffix('.request')} in {file}")
        return None

    def complete(self, ask: Ask, within: Deadline = FOREVER) -> Reply:
        reply = self._answer(ask) or super().complete(ask, within)
        reply = replace(reply, text=self._as_edited(ask, reply.text))
        asked = sum(len(one.content) for one in ask.messages)
        usage = Usage(asked // 4, len(reply.text) // 4, usd=None)
        return replace(reply, usage=usage, model=self.name)

    def _as_edited(self, ask: Ask, text: str) -> str:
        """The reply; where its blocks look for what does not stand there now, one that makes the file what it became then."""
        at = next((n for n, one in enumerate(self._edits) if one[0] == ask.purpose), None)
        if at is None:
            return text
        file, (_, after) = played.KEPT_EDITS[ask.purpose], self._edits.pop(at)
        if all(search in shown_files(ask)[file] for search in _SEARCH.findall(text)):
            return text
        now, words = shown_files(ask)[file].rstrip("\n"), _BLOCK.sub("", text)
        return (
            words
            if now == after.rstrip("\n")
            else f"{with_block(file, now, after.rstrip())}\n{words}"
        )


class FirstPages:
    """A sandbox whose papers have a picture of their first page alone: the others are most of a record."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner

    def run(self, job: Job, within: Deadline = FOREVER) -> JobResult:
        result = self._inner.run(job, within)
        pages = [path for path, _ in result.files.files if re.search(r"/page-\d+\.png$", path)]
        left_out = {path for path in pages if not path.endswith("/page-1.png")}
        kept = tuple(pair for pair in result.files.files if pair[0] not in left_out)
        return replace(result, files=Tree(kept))


def specification(kept: dict[str, Any], results: Path) -> RunSpec:
    """The study's run, under ``ci-cpu`` with room for the tokens of a whole study, and time."""
    wanted = RunRequest(template="seir", scale="smoke", policy="ci-cpu", results=results)
    spec = prepare(wanted).setup
    settings = spec.policy.settings
    for block in ("idea", "run"):
        settings[block]["budget"]["tokens"] = played.TOKENS
    # A recording may share the machine with other work.
    for block in ("experiment", "latex", "editor"):
        settings[block]["time"]["wall"] = "20m"
    files = {path: text.encode() for path, text in kept["template"]["files"].items()}
    return replace(
        spec,
        policy=replace(spec.policy, whole=WholePolicy.model_validate(settings)),
        template=from_files(files, kept["template"]["name"], "kept"),
        scale=kept["scale"],
        model=Counted.name,
        author=Counted.name,
        sees=kept["sees"],
        reviewing=ReviewPin(**kept["reviewing"]),
        novelty=kept["novelty"],
    )


def as_shipped(folder: Path) -> Endings:
    """Each job of a run in ``folder`` by its place, a paper by its source."""
    ends: dict[str, Ending] = {}
    for path in sorted(folder.rglob("journal.jsonl")):
        journal = open_journal(IdeaPaths(path.parent))
        for step in (one for one in steps(journal) if one.port == "sandbox" and one.answer):
            took = step.result
            ends[_key(step.job)] = Ending(
                files={name: journal.blobs.get(sha256) for name, sha256 in took.files.files},
                exit_code=took.exit_code or 0,
                stdout=took.stdout,
                stderr=took.stderr,
                seconds=took.attestation.peaks.wall,
            )

    def ending(job: Job) -> Ending:
        if _key(job) in ends:
            return ends[_key(job)]
        raise SystemExit(f"demo_recording: {job.scope} is another job now: record it with --engine")

    return lambda _blobs: ending


def _key(job: Job) -> str:
    return (
        digest(job.files)
        if job.kind == "latex"
        else "/".join(job.scope.split("/")[2:]) or job.scope
    )


@contextmanager
def edges_of(
    kept: dict[str, Any], spec: RunSpec, endings: Endings | None, answers: Path | None
) -> Iterator[Any]:
    """(specification, edges): on an engine, or by ``endings`` with Aider in a process."""
    found = played.KeptLiterature(kept["found"])
    if endings is not None:
        model = Counted(kept["replies"], answers)

        def scripted(blobs: BlobStore) -> Edges:
            editor = played.KeptEditor(ProcessEditor(blobs, played.WORKER), kept, blobs)
            sandbox = FirstPages(ScriptedSandbox(blobs, endings(blobs)))
            return Edges(model, editor, sandbox, found)

        yield spec, scripted
        return
    engine, model = connect(), Counted(kept["replies"], answers, kept["edits"])
    spec = replace(spec, images=resolve_images(spec.policy, engine, spec.template))
    with real_edges(replace(spec, model=SWEEP), engine, "demo-recording") as own:

        def real(blobs: BlobStore) -> Edges:
            edges = own(blobs)
            sandbox = FirstPages(edges.sandbox)
            return replace(edges, model=model, sandbox=sandbox, literature=found)

        yield spec, real


def record(
    kept: dict[str, Any],
    endings: Endings | None,
    archive: Path = ARCHIVE,
    answers: Path | None = None,
) -> None:
    """Carry the study out again and pack its record."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "run")
        with edges_of(kept, specification(kept, Path(scratch)), endings, answers) as (spec, edges):
            tools = RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None)
            (outcome,) = research(spec, rig.place(folder, Mode.RECORD), tools)
        assert outcome.status == "finished", outcome.failure
        assert outcome.failure is None
        about = {
            "template": spec.template.name,
            "time": datetime.now(UTC).strftime("%Y%m%d_%H%M%S"),
            "told": REAL if endings is None else SCRIPTED,
        }
        archive.write_bytes(packed(_files(folder, about)))
    print(f"recorded: {archive}, {archive.stat().st_size >> 10} KiB")


def _files(folder: Path, about: Mapping[str, object]) -> dict[str, bytes]:
    names = sorted(name for name, plain in folder_entries(folder) if plain)
    record = _record(folder, names)
    made = [
        name
        for name in names
        if not {"blobs", "history.git"} & set(name.split("/"))
        and not name.endswith(("journal.jsonl", "report.html"))
    ]
    return {
        ABOUT: json.dumps(about, indent=1).encode(),
        MADE: json.dumps({name: file_hash(folder / name) for name in made}, indent=0).encode(),
        **{f"{RECORD}{name}": (folder / name).read_bytes() for name in record},
    }


def _record(folder: Path, names: list[str]) -> list[str]:
    """The journals, and those stored bytes that these or other stored bytes name."""
    stored = {name.rpartition("/")[2]: name for name in names if "blobs" in name.split("/")}
    found = [name for name in names if name.endswith("journal.jsonl")]
    for name in found:
        named = re.findall(rb"[0-9a-f]{64}", (folder / name).read_bytes())
        found += [stored.pop(one.decode()) for one in named if one.decode() in stored]
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = played.shipped_record(Path(scratch))
        kept = played.condense(folder)
        given = sys.argv[1:]
        answers = Path(given[given.index("--answers") + 1]) if "--answers" in given else None
        try:
            record(kept, None if "--engine" in given else as_shipped(folder), answers=answers)
        except KeyboardInterrupt as asked:  # as nothing else ends a study at once
            raise SystemExit(f"demo_recording: {asked}") from None


if __name__ == "__main__":
    main()
