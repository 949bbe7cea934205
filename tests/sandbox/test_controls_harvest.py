"""What a container leaves for its host, end to end: hostile names, kinds, numbers and contents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.job import JobResult
from orchestrator.record.paths import IdeaPaths
from tests.support.controls_rig import job, limits_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("harvest")
    with docker_bench(folder, f"harvest-{folder}") as bench:
        yield bench


def run(bench: DockerBench, program: str) -> JobResult:
    result = bench.sandbox.run(job(bench, program, limits_of("experiment", inodes=2000)))
    assert result.ok, (result.verdict, result.stderr)
    return result


GOOD = ("run_1/...", "run_1/..x", "run_1/a..b", "run_1/CON", "run_1/twin", "run_1/twin again")

NAMES = f"""
    os.makedirs("run_1/deep/.git")
    bad = [b"new\\nline", b"esc\\x1b[2J", b"\\xff\\xfe", b"-rf", b"bidi\\xe2\\x80\\xae", b"tab\\t",
           b".git/config", b"deep/.git/hooks", b"back\\\\slash", b"case", b"CASE"]
    os.makedirs("run_1/.git")
    for name in bad: open(b"run_1/" + name, "w").close()
    for name in {[name.partition("/")[2] for name in GOOD[:4]]!r}: open("run_1/" + name, "w").close()
    open("run_1/" + "n" * 255, "w").close()
    open("run_1/twin", "w").write("one content, two names")
    os.link("run_1/twin", "run_1/twin again")
    os.symlink("/etc/passwd", "run_1/link")
    os.symlink("/", "run_1/folder link")
    os.symlink("../../../../../../etc/shadow", "run_1/final_info.json")
    os.mkfifo("run_1/pipe")
    server = socket.socket(socket.AF_UNIX); server.bind("run_1/socket")
    """


def test_only_safe_names_of_regular_files_come_home_and_every_other_is_named(
    bench: DockerBench, tmp_path: Path
) -> None:
    result = run(bench, NAMES)
    home = set(result.files.paths())
    assert home >= set(GOOD)
    assert home - set(GOOD) <= {"run_1/" + "n" * 255, "run_1/CASE", "run_1/case"}
    assert len({"run_1/CASE", "run_1/case"} & home) == 1, "one of two that some file systems merge"
    refused = dict(result.refused)
    kinds = {path: refused[f"run_1/{path}"] for path in ("link", "folder link", "pipe")}
    assert kinds == {"link": "a symbolic link", "folder link": "a symbolic link", "pipe": "a FIFO"}
    assert refused["run_1/final_info.json"] == "a symbolic link"
    assert "run_1/socket" in refused
    assert len(refused) >= 14
    assert all(path.isprintable() for path in refused)
    IdeaPaths(tmp_path / "idea").export(result.files, bench.blobs, {})
    written = {str(path.relative_to(tmp_path / "idea")) for path in (tmp_path / "idea").rglob("*")}
    assert {name for name in written if not name.startswith("run_1")} == set()
    assert not any(path.is_symlink() for path in (tmp_path / "idea").rglob("*"))


@pytest.mark.parametrize(
    "trick",
    [
        "os.symlink('/etc', 'run_1')",
        "os.mkfifo('run_1')",
        "open('run_1', 'w').write('a file where the folder should be')",
        "os.mkdir('run_1'); os.symlink('/etc', 'run_1/etc'); os.symlink('run_1', 'run_1/run_1')",
    ],
)
def test_an_output_folder_that_is_no_folder_brings_nothing_home(
    bench: DockerBench, trick: str
) -> None:
    result = run(bench, trick)
    assert result.files.files == ()
