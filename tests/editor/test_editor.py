"""The editors keep the port's contract, and the host believes nothing that a worker says."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.edit import WORKER
from orchestrator.core.errors import EditorFailed, ModelFailed
from orchestrator.core.job import Attestation, Job, JobResult, Peaks, Verdict
from orchestrator.core.protocols import Blobs, Editor
from orchestrator.core.tree import Tree
from orchestrator.editor.aider import ContainerEditor, EditorSession, ProcessEditor
from orchestrator.editor.scripted import ScriptedEditor
from orchestrator.editor.wire import MAX_LINE, MAX_TURNS
from tests.contracts.editor import (
    BEFORE,
    LIMITS,
    Bench,
    EditorContract,
    Replies,
    TalkingEditorContract,
    block,
)
from tests.support.memory_blobs import MemoryBlobs
from tests.support.places import ROOT
from tests.support.sandbox_rig import DockerBench, docker_bench

WORKER_FILE = ROOT / "sandbox" / "editor" / "worker.py"


def rewriting(wanted: Mapping[str, bytes]) -> Replies:
    """A model whose reply rewrites each wanted file whole; none wanted, a reply without blocks."""
    blocks = [
        block(path, BEFORE.get(path, b"").decode(), data.decode()) for path, data in wanted.items()
    ]
    return Replies(["\n".join(blocks) or "Nothing needs to change."] + ["I see."] * 3)


class TestScriptedEditor(EditorContract):
    """The fake that ships."""

    @pytest.fixture
    def bench(self) -> Bench:
        def make(blobs: Blobs, wanted: Mapping[str, bytes]) -> tuple[Editor, Replies]:
            return ScriptedEditor(blobs, lambda _request, _model: wanted), Replies([])

        return Bench(make)


@pytest.mark.sampled
@pytest.mark.program
class TestProcessEditor(TalkingEditorContract):
    """Aider as a child process, which the policy may choose."""

    @pytest.fixture
    def bench(self) -> Bench:
        def make(blobs: Blobs, wanted: Mapping[str, bytes]) -> tuple[Editor, Replies]:
            return ProcessEditor(blobs, WORKER_FILE), rewriting(wanted)

        return Bench(make)

    def test_nothing_is_left_behind_even_where_the_model_fails(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\n"})
        seen = []
        model.on_ask = lambda _: seen.append(list(tmp_path.iterdir()))
        editor.edit(bench.request(), model, FOREVER)
        with pytest.raises(Exception, match="busy"):
            editor.edit(bench.request(), Replies([]), FOREVER)
        assert len(seen[0]) == 1
        assert list(tmp_path.iterdir()) == []

    def test_a_worker_that_hangs_is_killed_with_its_children_at_the_wall_clock(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        script = tmp_path / "hang.py"
        script.write_text(
            "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"child = os.fork()\nopen({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}} ')\n"
            "time.sleep(600)\n"
        )
        request = bench.request(limits=replace(LIMITS, wall=1.0))
        with pytest.raises(EditorFailed, match="longer than the 1 s"):
            ProcessEditor(bench.blobs, script).edit(request, Replies([]))
        pids = (tmp_path / "pids").read_text().split()
        assert len(pids) == 2
        assert not any(_runs(int(pid)) for pid in pids)

    def test_a_worker_that_dies_is_an_error_with_its_last_words(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        script = tmp_path / "die.py"
        script.write_text("import sys\nsys.stdin.readline()\nsys.exit('no such luck')\n")
        with pytest.raises(EditorFailed, match=r"exit code 1; no such luck"):
            ProcessEditor(bench.blobs, script).edit(bench.request(), Replies([]))

    def test_the_worker_sees_no_secret_of_this_process(
        self, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        script = tmp_path / "tell.py"
        script.write_text(
            "import json, os\nprint(json.dumps({'type': 'failed', 'what': ','.join(os.environ)}))\n"
        )
        with pytest.raises(EditorFailed) as caught:
            ProcessEditor(bench.blobs, script).edit(bench.request(), Replies([]))
        allowed = {"PATH", "HOME", "LITELLM_LOCAL_MODEL_COST_MAP", "LITELLM_MODE", "LC_CTYPE"}
        assert set(caught.value.why.split(",")) <= allowed

    def test_a_link_that_a_worker_leaves_in_a_files_place_is_not_followed(
        self, bench: Bench, tmp_path: Path
    ) -> None:
        script = tmp_path / "link.py"
        script.write_text(
            "import os, sys\nsys.stdin.readline()\nos.unlink('experiment.py')\n"
            "os.symlink('/etc/passwd', 'experiment.py')\n"
            f"print({json.dumps(json.dumps(DONE))})\n"
        )
        with pytest.raises(EditorFailed, match=r"lost 'experiment\.py'"):
            ProcessEditor(bench.blobs, script).edit(bench.request(), Replies([]))


@pytest.fixture(scope="module")
def docker_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("editor")
    with docker_bench(folder, f"editor-{folder}") as bench:
        yield bench


@pytest.mark.engine
class TestContainerEditor(TalkingEditorContract):
    """Aider in a container of its own, as shipped."""

    @pytest.fixture
    def bench(self, docker_run: DockerBench) -> Bench:
        def make(_: Blobs, wanted: Mapping[str, bytes]) -> tuple[Editor, Replies]:
            return ContainerEditor(docker_run.sandbox.open, docker_run.blobs), rewriting(wanted)

        return Bench(make, docker_run.blobs)

    def test_an_edit_carries_its_containers_attestation(self, bench: Bench) -> None:
        editor, model = bench.make(bench.blobs, {"experiment.py": b"x = 3\n"})
        attested = editor.edit(bench.request(), model, FOREVER).attestation
        assert attested is not None
        assert attested.verdict is Verdict.FINISHED
        assert attested.policy == "contract"

    def test_no_container_is_left_after_any_end(
        self, bench: Bench, docker_run: DockerBench
    ) -> None:
        for texts in (["nothing"], []):
            editor, _ = bench.make(bench.blobs, {})
            with suppress(ModelFailed):
                editor.edit(bench.request(), Replies(texts), FOREVER)
            assert docker_run.left_behind() == ()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


DONE = {"type": "done", "reply": "ok", "turns": 0, "malformed": 0, "refused": [], "why_not": ""}
LLM = {"type": "llm", "messages": [{"role": "user", "content": "hi"}], "temperature": 0.0}
ATTESTED = Attestation(
    container="c",
    image="i",
    policy="p",
    engine="e",
    kernel="k",
    runtime="runc",
    storage="s",
    asked=(),
    inspected=(),
    seen=(),
    hit=(),
    peaks=Peaks(),
    verdict=Verdict.FINISHED,
    exit_code=0,
)


class FoulSession:
    """A container whose worker says given lines and leaves given files."""

    def __init__(self, lines: list[bytes], result: JobResult) -> None:
        self.lines, self.result, self.heard = lines, result, list[bytes]()

    def send(self, line: bytes) -> None:
        self.heard.append(line)

    def receive(self, timeout: float) -> bytes | None:
        assert timeout > 0
        return self.lines.pop(0) if self.lines else None

    def waiting(self) -> AbstractContextManager[None]:
        return nullcontext()

    def finish(self) -> JobResult:
        return self.result


def contained(
    lines: list[bytes],
    files: Tree,
    verdict: Verdict = Verdict.FINISHED,
    blobs: Blobs | None = None,
    **more: object,
) -> tuple[ContainerEditor, list[Job]]:
    """A container editor whose container does as told, and the jobs that it is given."""
    result = JobResult(
        stdout="",
        stderr="",
        files=files,
        attestation=replace(ATTESTED, verdict=verdict),
    )
    jobs: list[Job] = []

    @contextmanager
    def sessions(job: Job, _within: Deadline) -> Iterator[EditorSession]:
        jobs.append(job)
        yield FoulSession(lines, replace(result, **more))  # type: ignore[arg-type]  # its fields

    return ContainerEditor(sessions, blobs or MemoryBlobs()), jobs


def said(**more: object) -> bytes:
    return json.dumps({**DONE, **more}).encode()


@pytest.fixture
def bench() -> Bench:
    def make(blobs: Blobs, wanted: Mapping[str, bytes]) -> tuple[Editor, Replies]:
        return ScriptedEditor(blobs, lambda _request, _model: wanted), Replies([])

    return Bench(make)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json",
        b"[]",
        b'{"type": "run", "command": "id"}',
        said(surprise=1),
        said(turns="4"),
        said(turns=MAX_TURNS + 1),
        said(reply=None),
        said(refused=["x"] * 33),
        said(why_not="x" * 4001),
        json.dumps({**LLM, "messages": []}).encode(),
        json.dumps({**LLM, "messages": [{"role": "tool", "content": "x"}]}).encode(),
        json.dumps({**LLM, "messages": [{"role": "user", "content": ["x"]}]}).encode(),
        json.dumps({**LLM, "temperature": 3}).encode(),
        b'{"type": "llm", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}',
        b'"' + b"x" * (MAX_LINE + 1) + b'"',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
def test_a_foul_line_from_a_worker_ends_the_edit(bench: Bench, line: bytes) -> None:
    request = bench.request()
    editor, _ = contained([line, said()], request.files)
    with pytest.raises(EditorFailed):
        editor.edit(request, Replies([]), FOREVER)


def test_a_worker_cannot_spend_the_budget_in_a_loop(bench: Bench) -> None:
    request, model = bench.request(), Replies(["again"] * 99)
    editor, _ = contained([json.dumps(LLM).encode()] * 99, request.files)
    with pytest.raises(EditorFailed, match="more than 4 times"):
        editor.edit(request, model, FOREVER)
    assert len(model.asks) == MAX_TURNS


def test_a_container_is_given_the_named_files_only(bench: Bench) -> None:
    request = bench.request()
    editor, jobs = contained([said()], request.files)
    editor.edit(request, Replies([]), FOREVER)
    (job,) = jobs
    assert job.files.paths() == ("data.md", "experiment.py")
    assert job.argv == WORKER
    assert (job.kind, job.harvest, job.env, job.data) == ("editor", request.editable, (), ())
    assert job.limits.network == ()


def test_what_a_container_leaves_beside_the_editable_files_is_dropped_and_named(
    bench: Bench,
) -> None:
    request = bench.request()
    foul = bench.blobs.put(b"print('mine')\n")
    home = request.files.updated({"plot.py": foul, "sub/x.py": foul, "experiment.py": foul})
    editor, _ = contained([said()], home, refused=(("a\nb", "control character"),))
    edit = editor.edit(request, Replies([]), FOREVER)
    assert edit.files == request.files.updated({"experiment.py": foul})
    assert edit.changed == ("experiment.py",)
    assert edit.refused == ("a\nb", "plot.py", "sub/x.py")
    assert edit.attestation == ATTESTED


def test_of_the_python_files_that_a_container_adds_few_small_and_new_ones_are_kept(
    bench: Bench,
) -> None:
    request = bench.request(new_files=True)
    small, large = bench.blobs.put(b"z = 1\n"), bench.blobs.put(b"#" * ((64 << 10) + 1))
    added = {f"part_{number}.py": small for number in range(9)} | {"a_large.py": large}
    home = request.files.updated({**added, "plot.py": small, "run_2.py": small, "B.py": small})
    editor, jobs = contained([said()], home, blobs=bench.blobs)
    edit = editor.edit(request, Replies([]), FOREVER)
    assert jobs[0].harvest == ("notes.txt", "*.py")
    assert edit.changed == tuple(f"part_{number}.py" for number in range(7))
    assert edit.refused == ("B.py", "a_large.py", "part_7.py", "part_8.py", "plot.py", "run_2.py")
    assert bench.text(edit.files, "plot.py") == BEFORE["plot.py"]


def test_a_worker_that_says_that_its_edit_is_not_whole_changes_nothing(bench: Bench) -> None:
    request = bench.request()
    home = request.files.updated({"experiment.py": bench.blobs.put(b"x = 3\n")})
    editor, _ = contained([said(why_not="a block failed")], home)
    edit = editor.edit(request, Replies([]), FOREVER)
    assert (edit.files, edit.changed, edit.why_not) == (request.files, (), "a block failed")


def test_a_claim_to_have_edited_is_not_believed(bench: Bench) -> None:
    request = bench.request()
    editor, _ = contained([said(reply="I changed x to 3.")], request.files)
    edit = editor.edit(request, Replies([]), FOREVER)
    assert edit.changed == ()
    assert edit.why_not == "the edit changes no file"


def test_an_editable_file_that_does_not_come_home_is_an_error(bench: Bench) -> None:
    request = bench.request()
    editor, _ = contained([said()], Tree())
    with pytest.raises(EditorFailed, match=r"lost 'experiment\.py'"):
        editor.edit(request, Replies([]), FOREVER)


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.FINISHED])
def test_a_container_that_did_not_finish_gives_no_edit(bench: Bench, verdict: Verdict) -> None:
    request = bench.request()
    editor, _ = contained([said()], request.files, verdict)
    with pytest.raises(EditorFailed, match=str(verdict)):
        editor.edit(request, Replies([]), FOREVER)


def test_a_worker_that_talks_on_after_its_end_gives_no_edit(bench: Bench) -> None:
    request = bench.request()
    editor, _ = contained([said(), said()], request.files)
    with pytest.raises(EditorFailed, match="sent more after its end"):
        editor.edit(request, Replies([]), FOREVER)


def test_a_container_that_ends_without_a_word_gives_no_edit(bench: Bench) -> None:
    request = bench.request()
    editor, _ = contained([], request.files)
    with pytest.raises(EditorFailed, match="ended unexpectedly"):
        editor.edit(request, Replies([]), FOREVER)


def test_an_instruction_past_the_line_bound_is_refused_before_it_is_sent(bench: Bench) -> None:
    request = bench.request(instruction="x" * MAX_LINE)
    editor, _ = contained([said()], request.files)
    with pytest.raises(EditorFailed, match="ask for a smaller change"):
        editor.edit(request, Replies([]), FOREVER)


@pytest.mark.program
def test_the_editor_edge_does_not_load_aider_or_litellm() -> None:
    """The host needs neither to edit in a container."""
    code = "import sys, orchestrator.editor.aider; print({'aider', 'litellm'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
