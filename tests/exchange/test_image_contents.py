"""What a run's images held is in its record: read once per image, checked by audits, told without an engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

import cli
from orchestrator.api import image_contents as of_runs
from orchestrator.api.sbom import bill_of_run
from orchestrator.audit.page import audit_page
from orchestrator.core.errors import AisciError, BadJournal, Interrupted, UserError
from orchestrator.exchange import image_contents
from orchestrator.exchange.components import SoftwarePackage
from orchestrator.exchange.image_contents import contents_of, listed_packages, package_list
from orchestrator.record.blobs import BlobStore
from orchestrator.record.heard import Heard, Notice
from orchestrator.record.pins import ImageContents
from orchestrator.sandbox.engine.client import connect
from tests.support import report_rig
from tests.support.audit_rig import IMAGES, Forger, Line, audited, record, whole
from tests.support.journal_rig import run_started

ID = f"sha256:{'ab' * 32}"
LIBC = SoftwarePackage(
    kind="deb", namespace="debian", name="libc6", version="2.36", qualifiers=(("arch", "amd64"),)
)
NUMPY = SoftwarePackage(kind="pypi", name="numpy", version="2.2.0", licence="BSD-3-Clause")


def told(images: tuple[tuple[str, str], ...], blobs: BlobStore) -> tuple[ImageContents, ...]:
    """The contents of each image: two packages in each but the first, which did not tell."""
    (name, image_id), *others = images
    silent = ImageContents(name=name, id=image_id, why="no shell \x1b[2J<b>in it")
    lists = (
        (one, found, blobs.put(package_list(found, (NUMPY, LIBC, LIBC)))) for one, found in others
    )
    return (
        silent,
        *(
            ImageContents(
                name=one, id=found, base=ID, digests=("debian@sha256:12",), packages=sha256
            )
            for one, found, sha256 in lists
        ),
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told") / "quick" / "20260101_120000"
    record(folder, contents=told(IMAGES, BlobStore(folder / "blobs")))
    return folder


@pytest.fixture
def forger(recorded: Path, tmp_path: Path) -> Forger:
    import shutil  # noqa: PLC0415 - one use

    return Forger(Path(shutil.copytree(recorded, tmp_path / "run")))


def test_a_list_is_the_same_for_the_same_packages_and_gives_them_back() -> None:
    one, other = package_list(ID, (LIBC, NUMPY)), package_list(ID, (NUMPY, LIBC, NUMPY))
    assert one == other
    assert listed_packages(one, "here", ID) == (LIBC, NUMPY)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{}",
        b"[1]",
        package_list(f"sha256:{'cd' * 32}", (LIBC,)),
        package_list(ID, (LIBC,)).replace(b'"format":1', b'"format":2'),
        package_list(ID, (LIBC,)).replace(b'"libc6"', b"7"),
        b"[" * 5000,
    ],
)
def test_what_is_no_list_of_this_image_is_refused(bad: bytes) -> None:
    with pytest.raises(BadJournal, match="package list"):
        listed_packages(bad, "here", ID)


def test_an_image_is_read_once_and_a_spoiled_list_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def packages(_engine: object, image: str) -> tuple[SoftwarePackage, ...]:
        asked.append(image)
        return (LIBC, NUMPY)

    monkeypatch.setattr(image_contents, "image_packages", packages)
    engine: Any = None
    first = contents_of(engine, ID, tmp_path)
    assert contents_of(engine, ID, tmp_path) == first
    assert asked == [ID]
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(first[:-20])
    assert contents_of(engine, ID, tmp_path) == first
    assert asked == [ID, ID]


class NoImages:
    """An engine that has no image: what is recorded then has no base."""

    def __getattr__(self, name: str) -> NoImages:
        return self

    def get(self, name: str) -> object:
        from docker.errors import ImageNotFound  # noqa: PLC0415 - what the real one raises

        raise ImageNotFound(name)


def test_an_image_that_does_not_tell_is_recorded_with_the_reason_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_engine: object, _image: str) -> bytes:
        raise AisciError("it did not tell", why="no\x1bshell")

    monkeypatch.setattr(of_runs, "contents_of", refuses)
    heard: list[Heard] = []
    engine: Any = NoImages()
    (one,) = of_runs.record_contents((("x", ID),), engine, BlobStore(tmp_path), heard.append)
    assert (one.packages, one.base) == ("", "")
    assert one.why == "it did not tell: no\\x1bshell"
    assert any(isinstance(line, Notice) and "did not tell" in line.text for line in heard)


def test_an_interrupt_while_an_image_is_read_is_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(_engine: object, _image: str) -> bytes:
        raise Interrupted("stopped")

    monkeypatch.setattr(of_runs, "contents_of", stops)
    engine: Any = NoImages()
    with pytest.raises(Interrupted):
        of_runs.record_contents((("x", ID),), engine, BlobStore(tmp_path), lambda _: None)


def test_the_bill_of_a_run_names_each_image_with_its_packages_and_asks_no_engine(
    recorded: Path,
) -> None:
    bill = bill_of_run(str(recorded), recorded)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    assert len(Bom.from_json(data=bill).components) == len(IMAGES)
    silent, *others = bill["components"]
    assert silent["name"] == IMAGES[0][0]
    assert "components" not in silent
    facts = {one["name"]: one["value"] for one in silent["properties"]}
    assert facts["aisci:packages"] == "not told: no shell \\x1b[2J<b>in it"
    for one in others:
        assert [p["purl"] for p in one["components"]] == [LIBC.purl, NUMPY.purl]
        assert {"name": "aisci:base", "value": ID} in one["properties"]
    refs = [p["bom-ref"] for one in others for p in one["components"]]
    assert len(set(refs)) == len(refs)


def test_the_command_prints_the_bill_of_a_run(recorded: Path, tmp_path: Path) -> None:
    into = tmp_path / "bom.json"
    said = CliRunner().invoke(cli.app, ["sbom", "--run", str(recorded), "--into", str(into)])
    assert said.exit_code == 0, said.output
    assert "6 packages" in said.output
    assert json.loads(into.read_text("utf-8")) == bill_of_run(str(recorded), recorded)
    both = CliRunner().invoke(cli.app, ["sbom", "aisci-latex", "--run", str(recorded)])
    assert both.exit_code == 2


def test_an_older_record_says_that_it_does_not_tell(tmp_path: Path) -> None:
    rig = report_rig.Recorded(tmp_path / "older")
    rig.run.append(run_started())
    rig.run.seal(ideas={})
    with pytest.raises(UserError, match="does not say what its images held"):
        bill_of_run(str(rig.folder), tmp_path)


def test_an_audit_looks_at_the_lists_and_its_page_shows_what_the_images_held(
    recorded: Path,
) -> None:
    done = whole(recorded)
    assert [one for one in done.findings if one.level == "wrong"] == []
    counts = [one.packages for one in done.pinned[-1].images]
    assert counts == [None, 2, 2, 2]
    page = audit_page(done)
    assert page.count("2 packages; on sha256:abab") == 3
    assert "debian@sha256:12" in page
    assert "<b>in it" not in page


def of(lines: list[Line]) -> list[Line]:
    contents: list[Line] = lines[0]["contents"]
    return contents


def test_a_list_that_is_missing_is_found(forger: Forger) -> None:
    (lists,) = {one["packages"] for one in of(forger.lines(forger.run)[:1])[1:2]}
    (forger.folder / "blobs" / lists).unlink()
    found = {one.check: one.what for one in audited(forger.folder).findings}
    assert found["blobs"] == "a line names a file that is missing"
    assert found["policy"] == "the package list of an image cannot be read"


def test_a_list_of_another_image_is_found(forger: Forger) -> None:
    def swap(lines: list[Line]) -> None:
        _, one, other, _ = of(lines)
        one["packages"], other["packages"] = other["packages"], one["packages"]

    forger.change(forger.run, swap)
    wrong = [one.what for one in audited(forger.folder).findings if one.level == "wrong"]
    assert wrong == ["the package list of an image cannot be read"] * 2


def test_a_list_of_an_image_that_is_not_pinned_is_found(forger: Forger) -> None:
    forger.change(forger.run, lambda lines: of(lines)[0].update(id=ID))
    wrong = [one.what for one in audited(forger.folder).findings if one.level == "wrong"]
    assert wrong == ["a package list is of an image that this line does not pin"]


@pytest.mark.engine
def test_a_real_image_tells_its_packages_once_and_its_base(tmp_path: Path) -> None:
    engine = connect()
    image_id = str(engine.images.get("aisci-storage").id)
    heard: list[Heard] = []
    blobs = BlobStore(tmp_path)
    for _ in range(2):
        (one,) = of_runs.record_contents(
            (("aisci-storage", image_id),), engine, blobs, heard.append
        )
        names = {p.name for p in listed_packages(blobs.get(one.packages), "", image_id)}
        assert "e2fsprogs" in names
        assert one.base.startswith("sha256:")
    assert len(heard) <= 1
