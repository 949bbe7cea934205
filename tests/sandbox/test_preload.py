"""An interpreter that waits with packages imported runs a job as a new one would, and is checked as any."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.job import Job, Verdict
from orchestrator.core.tree import Tree
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.engine.client import APIError
from orchestrator.sandbox.job import gate_view
from orchestrator.sandbox.job import slot as slots
from orchestrator.sandbox.job.spec import create_request, opens_gate
from orchestrator.sandbox.storage.helper import HELPER_MEMORY
from tests.contracts.sandbox import Scenario, job_of
from tests.sandbox.test_admission import GIB, JOB, RUN
from tests.support.ahead_rig import AheadBench, ahead_bench, tell_calls
from tests.support.places import ROOT

WAIT = (ROOT / "sandbox/preload/wait.py").read_text()
SCRIPTS = {
    "what it is": """
        import os, sys
        print(sys.argv, __file__, __name__, __spec__, sys.path[0], sorted(globals()), os.getcwd())
        print(repr(sys.stdin.read()))
    """,
    "an error": """
        def f():
            return {}["no"]
        f()
    """,
    "a chain": """
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise ValueError("two\\nlines") from error
    """,
    "a syntax error": "x = 1\nif x\n    pass",
    "an exit": "import sys; sys.exit(3)",
    "an exit with words": "raise SystemExit('bad end')",
    "a sudden end": "import os; os.write(2, b'now'); os._exit(7)",
    "what runs at the end": """
        import atexit, threading, time
        atexit.register(print, "at exit")
        threading.Thread(target=lambda: (time.sleep(0.1), print("late"))).start()
        raise RuntimeError("first")
    """,
    "pickles": """
        import pickle
        class Kept: pass
        print(pickle.dumps(Kept()), pickle.loads(pickle.dumps(Kept())).__class__ is Kept)
    """,
    "other processes": """
        import multiprocessing
        def squared(x): return x * x
        if __name__ == "__main__":
            for how in ("fork", "spawn"):
                with multiprocessing.get_context(how).Pool(1) as pool: print(pool.map(squared, [1, 2]))
    """,
    "a file beside it": "import json; print(json.__file__, json.mine)",
    "a variable set before an import": """
        import os, sys
        os.environ["DECIMAL_DIGITS"] = "9"
        print("decimal" in sys.modules)
    """,
    "an excepthook": """
        import sys
        sys.excepthook = lambda kind, error, trace: print(kind, error, trace.tb_lineno, trace.tb_next)
        1 / 0
    """,
}  # fmt: skip


def dedented(text: str) -> str:
    lines = text.strip("\n").split("\n")
    blanks = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[blanks:] for line in lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    return tmp_path


def ended(folder: Path, argv: Sequence[str], told: bytes = b"") -> tuple[int, bytes, bytes]:
    env = {"PATH": f"{folder}/bin:/usr/bin:/bin", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    work = folder / "work"
    work.mkdir(exist_ok=True)
    done = subprocess.run(
        argv, cwd=work, env=env, input=told, capture_output=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def waited(folder: Path, argv: Sequence[str], *modules: str) -> tuple[int, bytes, bytes]:
    return ended(folder, [str(folder / "bin/python"), "-c", WAIT, *modules], opens_gate(argv))


@pytest.mark.program
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_prints_and_ends_as_in_an_interpreter_of_its_own(
    script: str, folder: Path
) -> None:
    (folder / "work").mkdir()
    (folder / "work/main.py").write_text(dedented(SCRIPTS[script]))
    if script == "a file beside it":
        (folder / "work/json.py").write_text("mine = 1\n")
    argv = ("python", "main.py", "--out_dir=run_1", "two\nlines \\n")
    alone = ended(folder, argv)
    assert waited(folder, argv, "json", "decimal") == alone
    assert alone != (0, b"", b"")


@pytest.mark.program
@pytest.mark.parametrize(
    "argv",
    [("python", "-c", "import sys; print(sys.argv)", "a"), ("python", "missing.py"), ("echo", "a b"),
     ("python", "-m", "json.tool", "missing"), ("/bin/sh", "-c", "exit 4")],
)  # fmt: skip
def test_what_is_no_script_runs_in_a_process_of_its_own(
    argv: tuple[str, ...], folder: Path
) -> None:
    assert waited(folder, argv, "decimal") == ended(folder, argv)


@pytest.mark.program
def test_a_module_that_cannot_be_imported_is_left_to_the_script(folder: Path) -> None:
    (folder / "work").mkdir()
    (folder / "work/main.py").write_text("import no_such_module\n")
    argv = ("python", "main.py")
    assert waited(folder, argv, "no_such_module") == ended(folder, argv)


@pytest.mark.program
def test_imports_are_there_before_the_script_and_nothing_of_its_folder_is_imported(
    folder: Path,
) -> None:
    (folder / "work").mkdir()
    (folder / "work/decimal.py").write_text("print('mine')\n")
    (folder / "work/main.py").write_text("import sys; print('decimal' in sys.modules)\n")
    assert waited(folder, ("python", "main.py"), "decimal")[1] == b"False\n"  # a new interpreter
    (folder / "work/decimal.py").unlink()
    assert waited(folder, ("python", "main.py"), "decimal")[1] == b"True\n"


@pytest.mark.program
@pytest.mark.parametrize(
    ("line", "preloaded"),
    [('os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")', True),
     ('os.environ["OMP_NUM_THREADS"] = "1"', False), ("os.putenv('A', 'b')", False),
     ('os.environ.update(A="b")', False), ('os.environ["A"] == "b" if "A" in os.environ else 0', True)],
)  # fmt: skip
def test_a_script_that_sets_a_variable_which_a_package_may_read_gets_an_interpreter_of_its_own(
    line: str, *, preloaded: bool, folder: Path
) -> None:
    (folder / "work").mkdir()
    (folder / "work/main.py").write_text(
        f"import os, sys\n{line}\nprint('decimal' in sys.modules)\n"
    )
    said = waited(folder, ("python", "main.py"), "decimal")[1]
    assert said == f"{preloaded}\n".encode()


@pytest.mark.program
def test_an_interpreter_whose_host_is_gone_ends(folder: Path) -> None:
    assert ended(folder, [str(folder / "bin/python"), "-c", WAIT, "json"], b"=python\n")[0] == 125


@pytest.mark.unit
def test_only_what_has_no_other_reader_of_its_input_is_preloaded() -> None:
    job = Job(
        scope="x", kind="experiment", argv=("python", "main.py"), files=Tree(), limits=JOB, harvest=(),
        preload=("torch",),
    )  # fmt: skip

    def entry(one: Job, *, duplex: bool = False) -> list[str]:
        body = create_request(one, image="i", volume="v", labels={}, duplex=duplex)
        made: list[str] = body["Entrypoint"]
        return made

    assert entry(job)[-2:] == [WAIT, "torch"]
    assert len(entry(replace(job, preload=()))) == 4
    assert len(entry(job, duplex=True)) == 4
    listed = replace(job, limits=replace(JOB, network=("pypi.org:443",)))
    assert len(entry(listed)) == 4


@pytest.mark.unit
def test_nothing_is_imported_ahead_in_memory_that_the_host_keeps() -> None:
    places = {Path("/"): JOB.workspace}
    jobs_and_one = (RUN.containers + 1) * JOB.memory

    def room(free: int, *, imports: bool) -> bool:
        admission = Admission(RUN, free_memory=lambda: free, free_disk=lambda _: 1 << 50)
        return admission.room_ahead(JOB, places, imports=imports)

    little = RUN.keep_free_memory + jobs_and_one + (RUN.containers + 2) * HELPER_MEMORY
    assert room(little - 1, imports=False)
    assert not room(little - 1, imports=True)
    assert room(little, imports=True)


# --- on the engine --------------------------------------------------------------------------

LOOKS = Scenario(
    "import os, sys, time\n"
    "print('torch' in sys.modules, sorted(os.listdir('.')))\n"
    "import torch\n"
    "torch.manual_seed(0); print(torch.randn(3).tolist())\n"
    "open('run_1.txt', 'w').write(repr(torch.rand(4).tolist()))\n"
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AheadBench]:
    with ahead_bench(tmp_path_factory.mktemp("preload")) as made:
        yield made


def preloaded(bench: AheadBench, scenario: Scenario, scope: str, **limits: Any) -> Job:
    job = job_of(bench, scenario, scope=scope, image="aisci-sandbox:cpu", memory=GIB, **limits)
    return replace(job, argv=("python", "main.py"), harvest=("run_1.txt",), preload=("torch",))


@pytest.mark.engine
@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_a_job_finds_its_packages_imported_and_leaves_the_same_bytes(
    bench: AheadBench, runtime: str
) -> None:
    if runtime not in bench.engine.info()["Runtimes"]:
        pytest.skip("this engine has no gVisor")
    job = preloaded(bench, LOOKS, f"preload/{runtime}", runtime=runtime, pids=256)
    alone = bench.sandbox.run(replace(job, preload=()))
    bench.sandbox.run(replace(job, argv=("true",), scope=f"{job.scope}/before"))
    waiting = {slot.container for slot in bench.ready()}
    result = bench.sandbox.run(job)
    assert result.attestation.container in waiting
    assert result.verdict is Verdict.FINISHED
    assert result.files == alone.files
    assert result.stdout == alone.stdout.replace("False", "True", 1)
    assert dict(result.attestation.inspected)["Config.Entrypoint"].endswith(", torch")


@pytest.mark.engine
def test_no_import_begins_before_rights_are_read_and_they_are_read_again_for_the_job(
    bench: AheadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.ready()
    order: list[str] = []
    told = partial(tell_calls, monkeypatch, order)
    api = bench.engine.api
    for module, name, word in (
        (slots, "read_back", "settings"), (slots, "put_files", "files"),
        (gate_view, "check_kernel_view", "rights"), (gate_view, "check_workspace", "mount"),
        (slots, "opens_gate", "gate"), (slots.Slot, "begin", "imports"),
        (api, "pause", "pause"), (api, "unpause", "unpause"),
    ):  # fmt: skip
        told(module, name, word)
    job = preloaded(bench, LOOKS, "preload/order", pids=99)
    bench.sandbox.run(job)
    bench.ready()
    ahead = ["settings", "settings", "rights", "mount", "imports"]
    assert order == ["settings", "files", "settings", "rights", "mount", "imports", "gate", *ahead]
    order.clear()
    bench.sandbox.run(replace(job, scope="preload/order/2"))
    bench.ready()
    assert order == [
        "pause", "files", "unpause", "settings", "rights", "mount", "imports", "gate", *ahead
    ]  # fmt: skip


@pytest.mark.engine
def test_a_container_with_more_rights_than_asked_imports_nothing(
    bench: AheadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    real = slots.Slot.begin
    job = preloaded(bench, LOOKS, "preload/rights", pids=101)
    bench.sandbox.run(job)
    for slot in bench.ready():
        if slot.shape.preload:
            bench.engine.api.kill(slot.container)
    monkeypatch.setattr(gate_view, "process_status", lambda _pid: (("Seccomp", "0"),))

    def spy(one: slots.Slot) -> None:
        begun.append(one)
        real(one)

    monkeypatch.setattr(slots.Slot, "begin", spy)
    with pytest.raises(Exception, match="more rights than requested"):
        bench.sandbox.run(replace(job, scope="preload/rights/2"))
    assert begun == []


@pytest.mark.engine
def test_the_clock_and_the_limits_of_a_preloaded_job_are_its_own(bench: AheadBench) -> None:
    sleeps = Scenario("import time; time.sleep(60)")
    job = preloaded(bench, sleeps, "preload/late", wall=2.0, pids=102)
    bench.sandbox.run(replace(job, argv=("true",), scope="preload/late/before"))
    bench.ready()
    late = bench.sandbox.run(job)
    assert late.verdict is Verdict.TIMED_OUT
    fills = Scenario("x = bytearray(3 << 30)\nfor i in range(0, len(x), 4096): x[i] = 1")
    full = preloaded(bench, fills, "preload/full", pids=103)
    bench.sandbox.run(replace(full, argv=("true",), scope="preload/full/before"))
    bench.ready()
    assert bench.sandbox.run(full).verdict is Verdict.OUT_OF_MEMORY


@pytest.mark.engine
def test_a_container_that_cannot_be_paused_gets_no_files_and_is_replaced(
    bench: AheadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """runc of 2023 answers so at some moments."""
    job = preloaded(bench, LOOKS, "preload/frozen", pids=104)
    bench.sandbox.run(job)
    waiting = {slot.container for slot in bench.ready()}

    def fails(_: str) -> None:
        raise APIError("500 Server Error", explanation="OCI runtime pause failed: unable to freeze")

    monkeypatch.setattr(bench.engine.api, "pause", fails)
    result = bench.sandbox.run(replace(job, scope="preload/frozen/2"))
    assert result.verdict is Verdict.FINISHED
    assert result.attestation.container not in waiting
    assert bench.left_behind() == ()


@pytest.mark.engine
def test_one_that_is_paused_is_removed_as_any(bench: AheadBench) -> None:
    job = preloaded(bench, LOOKS, "preload/paused", pids=105)
    bench.sandbox.run(job)
    for slot in bench.ready():
        if slot.shape.limits.pids == 105:
            assert slot.ready(1.0)
    bench.ahead.drop()
    assert bench.left_behind() == ()


@pytest.mark.engine
def test_a_container_is_made_ahead_and_imports_nothing_where_memory_is_short(
    bench: AheadBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def room(*_: object, imports: bool = False) -> bool:
        return not imports

    monkeypatch.setattr(bench.pool.admission, "room_ahead", room)
    job = preloaded(bench, LOOKS, "preload/short", pids=106)
    bench.sandbox.run(job)
    bench.sandbox.run(replace(job, argv=("true",), scope="preload/short/2"))
    slots_of = [slot for slot in bench.ready() if slot.shape.limits.pids == 106]
    assert [(bool(slot.container), slot._begun) for slot in slots_of] == [(True, False)]
