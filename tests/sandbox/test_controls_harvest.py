"""What a container leaves for its host, end to end: hostile names, kinds, numbers and contents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.errors import BadResults
from orchestrator.core.job import JobResult
from orchestrator.record.paths import IdeaPaths
from orchestrator.template.results import MAX_BYTES, parse_final_info
from tests.contracts.sandbox import MIB
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
    IdeaPaths(tmp_path / "idea").export(result.files, bench.blobs)
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


FOUL = {
    "not a number": '\'{"d": {"means": {"m": NaN}}}\'',
    "infinite": '\'{"d": {"means": {"m": 1e999}}}\'',
    "minus infinite": '\'{"d": {"means": {"m": -Infinity}}}\'',
    "twice": '\'{"d": {"means": {"m": 1}}, "d": {"means": {"m": 2}}}\'',
    "nested": "'[' * 200_000",
    "nested mapping": "'{\"d\":' * 100_000 + '1' + '}' * 100_000",
    "long number": "'{\"d\": {\"means\": {\"m\": ' + '9' * 5000 + '}}}'",
    "many numbers": "json.dumps({'d': {'means': {str(i): i for i in range(50_000)}}})",
    "large": f"'{{\"d\": \"' + 'x' * {MAX_BYTES} + '\"}}'",
    "empty": "''",
    "zero bytes": "'\\0' * 1000",
}


def test_results_that_are_a_trap_are_refused_and_their_files_kept(bench: DockerBench) -> None:
    lines = ["os.mkdir('run_1')"]
    lines += [f"open('run_1/{name}', 'w').write({text})" for name, text in FOUL.items()]
    lines += ["open('run_1/good', 'w').write('{\"d\": {\"means\": {\"m\": 1.5}}}')"]
    result = run(bench, "\n".join(lines))
    home = {path.partition("/")[2]: sha256 for path, sha256 in result.files.files}
    assert home.keys() == FOUL.keys() | {"good"}
    for name in FOUL:
        with pytest.raises(BadResults):
            parse_final_info(bench.blobs.get(home[name]))
    assert parse_final_info(bench.blobs.get(home["good"])).datasets["d"].means == {"m": 1.5}


def test_a_pickle_that_would_run_on_its_reader_stays_bytes(
    bench: DockerBench, tmp_path: Path
) -> None:
    """The same bytes do run where somebody loads them: in the container, which does."""
    mark = tmp_path / "marked"
    result = run(
        bench,
        f"""
        import pickle
        class Bomb:
            def __init__(self, path): self.path = path
            def __reduce__(self): return (os.system, (f"touch {{self.path}}",))
        os.mkdir("run_1")
        for name in ("model.pkl", "model.pt", "final_info.npy"):
            open("run_1/" + name, "wb").write(pickle.dumps(Bomb({str(mark)!r})))
        pickle.loads(pickle.dumps(Bomb("run_1/went_off")))
        """,
    )
    assert set(result.files.paths()) == {
        "run_1/final_info.npy",
        "run_1/model.pkl",
        "run_1/model.pt",
        "run_1/went_off",
    }
    IdeaPaths(tmp_path / "idea").export(result.files, bench.blobs)
    assert str(mark).encode() in (tmp_path / "idea/run_1/model.pkl").read_bytes()
    assert not mark.exists()


def test_more_than_the_harvest_may_hold_is_left_behind_and_named(bench: DockerBench) -> None:
    result = run(
        bench,
        f"""
        os.mkdir("run_1")
        for number in range(1200): open(f"run_1/{{number:04}}", "w").close()
        open("run_1/sparse", "wb").truncate({11 * MIB})
        """,
    )
    assert len(result.files.files) == 1000
    assert "run_1/sparse" not in result.files.paths()
    assert json.dumps(result.refused).count("more than 1000 files") > 50
