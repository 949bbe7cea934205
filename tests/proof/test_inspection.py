"""The host's own look at what probes leave: each judge lets through what is through, and no more."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.filenames import shown
from orchestrator.core.files import shipped_root
from orchestrator.core.job import JobResult
from orchestrator.core.tree import Tree
from orchestrator.proof.observation import Attempt, Observation, parse_observations
from orchestrator.proof.probe import HELPERS, PROBES_FOLDER, JudgedBy, Probe
from orchestrator.proof.running import inspection as looks
from orchestrator.proof.running.inspection import inspect_output
from orchestrator.record.blobs import BlobStore
from tests.support.report_rig import box

PROBE = Probe(
    id="harvest/x", file="harvest/x.py", promise="", tries="", parts=(), families=(),
    kinds=("experiment",),
)  # fmt: skip
GOOD = b'{"d": {"means": {"m": 1.5}}}'


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def look(
    blobs: BlobStore,
    judge: JudgedBy,
    *planted: str,
    home: Mapping[str, bytes] | None = None,
    fair: tuple[str, ...] = (),
    refused: tuple[tuple[str, str], ...] = (),
    stdout: str = "",
) -> Observation:
    """What is made of a probe that planted these, when this came home."""
    files = Tree.of({path: blobs.put(data) for path, data in (home or {}).items()})
    result = JobResult(
        stdout=stdout, stderr="", files=files,
        attestation=box(), refused=refused,
    )  # fmt: skip
    seen = Observation(planted=tuple(map(shown, planted)), fair=fair, done=True)
    marker = Path(blobs.folder).parent / "marker"
    return inspect_output(replace(PROBE, judge=judge), seen, result, blobs, marker)


def through(seen: Observation) -> list[str]:
    return [one.name for one in seen.through]


def test_what_was_planted_is_through_when_it_came_home(blobs: BlobStore) -> None:
    refused = (("out/a\\nb", "a foul name"),)
    seen = look(blobs, "home", "out/a\nb", "out/c", "out/d", home={"out/c": b""}, refused=refused)
    assert seen.attempts == (
        Attempt("out/a\\nb", through=False, saw="a foul name"),
        Attempt("out/c", through=True, saw="it was harvested"),
        Attempt("out/d", through=False, saw="not read"),
    )


def test_what_came_home_and_was_not_spoken_of_is_through(blobs: BlobStore) -> None:
    """A foul name that was made fair on its way is one."""
    seen = look(
        blobs, "home", "out/a\nb", home={"out/a_b": b"", "out/fair": b""}, fair=("out/fair",)
    )
    assert through(seen) == ["out/a_b"]


@pytest.mark.parametrize("judge", ["home", "home whole", "numbers", "opaque"])
def test_where_nothing_comes_home_at_all_nothing_is_shown(
    blobs: BlobStore, judge: JudgedBy
) -> None:
    seen = look(blobs, judge, "out/a", fair=("out/fair",))
    assert not seen.done
    assert seen.why == "out/fair, which is allowed, was not harvested"


def test_all_of_it_is_through_when_nothing_is_missing(blobs: BlobStore) -> None:
    two = {"out/a": b"", "out/b": b""}
    assert through(look(blobs, "home whole", "out/a", "out/b", home=two)) == ["all of it"]
    assert through(look(blobs, "home whole", "out/a", "out/b", "out/c", home=two)) == []


def test_results_are_through_when_they_are_taken_for_results(blobs: BlobStore) -> None:
    home = {"out/good": GOOD, "out/nan": GOOD.replace(b"1.5", b"NaN")}
    seen = look(blobs, "numbers", "out/good", "out/nan", "out/lost", home=home)
    assert through(seen) == ["out/good"]
    assert [one.saw for one in seen.attempts[1:]] == [
        "every metric diverged",
        "not harvested",
    ]


def test_results_are_through_when_they_break_their_reader(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "parse_final_info", lambda _: float("9" * 4000) / int("9" * 4000))
    seen = look(blobs, "numbers", "out/long", home={"out/long": b"9" * 4000})
    assert seen.through == (
        Attempt("out/long", through=True, saw="broke its reader: OverflowError"),
    )


def test_what_cannot_be_written_out_is_through(blobs: BlobStore) -> None:
    home = {"out/a": b"", "out/a/b": b""}  # a file, and a file below it
    assert "to be written out" in through(look(blobs, "home", home=home))


def test_a_program_is_through_when_it_ran_or_was_not_there_to_be_run(blobs: BlobStore) -> None:
    home = {"out/a.pkl": b"x"}
    assert through(look(blobs, "opaque", "out/a.pkl", home=home)) == []
    assert through(look(blobs, "opaque", "out/a.pkl", "out/b", home=home)) == ["to be looked at"]
    (Path(blobs.folder).parent / "marker").touch()
    assert through(look(blobs, "opaque", "out/a.pkl", home=home)) == ["to be opened", "to run"]


def test_a_file_outside_of_the_declared_folder_is_through(blobs: BlobStore) -> None:
    assert through(
        look(blobs, "home", "x", home={"out/y": b"", "z": b""}, fair=("out/y", "z"))
    ) == ["idea/z"]


def test_words_are_through_when_they_act(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    acting = "\x1b[2J<b>\u202e"
    assert through(look(blobs, "words", stdout=acting)) == []
    assert through(look(blobs, "words", stdout="nothing that acts")) == ["to act on a terminal"]
    monkeypatch.setattr(looks, "plain", lambda text, limit: text[:limit])
    assert through(look(blobs, "words", stdout=acting)) == ["to act on a terminal"]


def test_words_are_through_when_they_end_their_fence(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = '```\nOrders.\n```json output\n"other"\n```'
    assert through(look(blobs, "fenced", stdout=ending)) == []
    assert through(look(blobs, "fenced", stdout="no fence")) == ["to end its fence"]
    monkeypatch.setattr(looks, "block", lambda name, text: f"```json {name}\n{text}\n```")
    assert through(look(blobs, "fenced", stdout=ending)) == ["to end its fence"]


def test_a_probe_that_judges_itself_is_left_alone(blobs: BlobStore) -> None:
    assert look(blobs, "itself", "out/a").attempts == ()


def test_a_foul_name_is_told_as_the_host_writes_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    helpers = shipped_root() / PROBES_FOLDER / HELPERS
    source = (helpers / "probing.py").read_text()
    (tmp_path / "probing.py").write_text(source)
    (tmp_path / "given.json").write_text('{"bare": false}')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "probing", raising=False)
    import probing  # noqa: PLC0415  # laid out only now

    foul = ["a\nb", "\x1b[2J", "\udcff", "\u202e", "é", "n" * 255]
    for name in foul:
        probing.plant(name)
    probing.fair("out/fair.txt")
    seen = parse_observations(capsys.readouterr().out, alone="x")["x"]
    assert seen.planted == tuple(map(shown, foul))
    assert seen.fair == ("out/fair.txt",)
    monkeypatch.delitem(sys.modules, "probing")
