"""``aisci stamp`` and the audit of a stamp: by files that are carried, or by an authority that a person names."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from orchestrator.api.archive import pack_run
from orchestrator.api.audits import audit
from orchestrator.api.removing import prune_run
from orchestrator.api.reproduce import replay
from orchestrator.api.stamping import ask_for_stamp, shown_address, take_stamp
from orchestrator.audit.audit import Audit, AuditVerdict
from orchestrator.core.errors import AisciError, UserError
from orchestrator.record.envelope import run_statement, signed_envelope
from orchestrator.record.paths import RunPaths
from orchestrator.record.signing import read_signer
from tests.support.signing_key import key
from tests.support.stamp_authority import StampRig

pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> StampRig:
    return StampRig(tmp_path_factory.mktemp("tsa") / "one")


def sign(run: Path, private: Path) -> None:
    signer, paths = read_signer(private), RunPaths(run)
    made = signed_envelope(run_statement(paths), signer.public.fingerprint, signer.sign)
    paths.signature.write_bytes(made)


@pytest.fixture(scope="module")
def whole(quick_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded run with every file that it makes."""
    made = tmp_path_factory.mktemp("whole") / "made"
    replay(str(quick_run), into=made)
    shutil.copytree(quick_run, made, dirs_exist_ok=True)
    return made


@pytest.fixture
def run(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A signed run."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    folder = Path(shutil.copytree(whole, tmp_path / "results" / "quick" / "20260101_000000"))
    sign(folder, key(tmp_path))
    return folder


def aisci(*words: object) -> Result:
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def audited(run: Path, authority: Path | None = None) -> Audit:
    return audit(str(run), run.parent, stamped_by=authority, html=run.parent / "audit.html").audit


def found(done: Audit) -> list[tuple[str, str, str]]:
    return [(one.level, one.what, one.why) for one in done.findings if one.where == "signature.tsr"]


def stamp(run: Path, rig: StampRig) -> None:
    """By files, as a person carries them."""
    request, answer = run.parent / "x.tsq", run.parent / "x.tsr"
    request.unlink(missing_ok=True)
    done = aisci("stamp", run, "--request", request)
    assert done.exit_code == 0, done.output
    answer.write_bytes(rig.answer(request.read_bytes()))
    done = aisci("stamp", run, "--answer", answer)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("stamped:  20")


def test_a_stamp_that_was_carried_by_hand_is_checked_by_an_audit(run: Path, rig: StampRig) -> None:
    assert audited(run).stamp == ""
    stamp(run, rig)
    assert audited(run).stamp.endswith("UTC; give --stamped-by to check it")
    done = audited(run, rig.root)
    assert done.outcome is AuditVerdict.CONSISTENT, done.findings
    assert done.stamp.endswith("UTC, vouched for by root.pem")
    assert found(done) == []


def test_a_stamp_alone_never_makes_a_record_intact(run: Path, rig: StampRig) -> None:
    """Whoever rewrote a record and signed it can have that stamped, too."""
    stamp(run, rig)
    assert not audited(run, rig.root).given


def test_no_stamp_and_one_by_another_authority_are_broken_where_one_is_asked_for(
    run: Path, rig: StampRig, tmp_path: Path
) -> None:
    other = StampRig(tmp_path / "other")
    assert [one[1] for one in found(audited(run, rig.root))] == [
        "there is no time stamp for the authority to vouch for"
    ]
    stamp(run, rig)
    done = audited(run, other.root)
    assert done.outcome is AuditVerdict.BROKEN
    assert done.stamp == "not vouched for by root.pem"


def test_a_stamp_of_a_certificate_that_had_ended_is_broken(run: Path, tmp_path: Path) -> None:
    over = StampRig(tmp_path / "over", (-90, -30))
    stamp(run, over)
    ((level, _, why),) = found(audited(run, over.root))
    assert (level, why) == ("wrong", "certificate has expired")


def test_a_changed_stamp_says_nothing_and_breaks_what_asks_for_it(run: Path, rig: StampRig) -> None:
    stamp(run, rig)
    path = run / "signature.tsr"
    data = bytearray(path.read_bytes())
    place = data.index(b"\x18\x0f20") + 5  # a digit of the year
    data[place] ^= 1
    path.write_bytes(data)
    done = audited(run, rig.root)
    assert done.outcome is AuditVerdict.BROKEN
    assert len(found(done)) == 1


def test_a_signature_made_later_has_no_stamp_and_can_have_a_new_one(
    run: Path, rig: StampRig, tmp_path: Path
) -> None:
    stamp(run, rig)
    sign(run, key(tmp_path, "later"))
    done = audited(run)
    assert done.outcome is AuditVerdict.CONSISTENT
    assert found(done) == [
        ("noted", "the time stamp says nothing", "it stamps something else: another signature than this one")
    ]  # fmt: skip
    assert audited(run, rig.root).outcome is AuditVerdict.BROKEN
    stamp(run, rig)
    assert audited(run, rig.root).outcome is AuditVerdict.CONSISTENT


def test_what_is_in_place_of_a_stamp_ends_no_audit(run: Path, rig: StampRig) -> None:
    path = run / "signature.tsr"
    for data in (b"", b"<html>", bytes(2 << 20)):
        path.write_bytes(data)
        assert audited(run).outcome is AuditVerdict.CONSISTENT
        assert audited(run, rig.root).outcome is AuditVerdict.BROKEN
    path.unlink()
    os.mkfifo(path)
    assert audited(run).outcome is AuditVerdict.BROKEN, "no pipe belongs into a record"
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert audited(run, rig.root).outcome is AuditVerdict.BROKEN


def test_an_authority_is_asked_where_a_person_names_it_and_gets_the_hash_alone(
    run: Path, rig: StampRig
) -> None:
    with rig.served() as (address, asked):
        done = aisci("stamp", run, "--authority", address)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith("asking:   http://127.0.0.1:")
    (request,) = asked
    assert len(request) < 80
    assert audited(run, rig.root).stamp.endswith("vouched for by root.pem")
    told = json.loads(aisci("audit", run, "--stamped-by", rig.root, "--json").stdout)
    assert told["stamp"].endswith("vouched for by root.pem")
    assert "stamp:      20" in aisci("audit", run, "--stamped-by", rig.root).stdout
    assert "vouched for by root.pem" in (run / "audit.html").read_text()


def test_without_a_name_nobody_is_asked_and_a_setting_is_one(
    run: Path, rig: StampRig, tmp_path: Path
) -> None:
    done = aisci("stamp", run)
    assert done.exit_code == 2
    assert "no authority is asked unless you name one" in done.stderr
    config = tmp_path / "config" / "aisci" / "config.toml"
    config.parent.mkdir(parents=True)
    with rig.served() as (address, asked):
        config.write_text(f'authority = "{address}"\n')
        assert aisci("stamp", run, "--request", tmp_path / "x.tsq").exit_code == 0
        assert asked == [], "a request that is carried by hand asks nobody"
        done = aisci("stamp", run)
    assert done.exit_code == 0, done.output
    assert "settings: authority" in done.output
    assert len(asked) == 1


def test_a_folders_file_names_no_authority(run: Path, tmp_path: Path) -> None:
    (tmp_path / "aisci.toml").write_text('authority = "http://127.0.0.1:1/"\n')
    done = aisci("stamp", run)
    assert done.exit_code == 2
    assert "may not be set by a folder's file" in done.stderr


def test_an_authority_that_gives_no_stamp_leaves_none(run: Path, rig: StampRig) -> None:
    for code, instead, why in (
        (500, b"", "it answered 500"),
        (302, b"", "it answered 302"),
        (200, b"<html>no</html>", "no answer of a time-stamp authority"),
        (200, bytes(2 << 20), "its answer is too long"),
    ):
        with rig.served(code, instead) as (address, _), pytest.raises(AisciError) as caught:
            ask_for_stamp(str(run), run.parent, address)
        assert why in caught.value.why
        assert caught.value.exit_code == 1
    with pytest.raises(AisciError, match="gave no time stamp"):
        ask_for_stamp(str(run), run.parent, "http://127.0.0.1:1/")
    assert not (run / "signature.tsr").exists()


@pytest.mark.parametrize(
    "address", ["ftp://x/", "file:///etc/passwd", "tsa.example", "http://", "http://x:y/"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="no address of a time-stamp authority"):
        shown_address(address)


def test_a_password_in_an_address_is_not_shown() -> None:
    assert shown_address("https://me:hush@tsa.example:8443/tsr?key=hush") == (
        "https://tsa.example:8443/tsr"
    )


def test_what_cannot_be_stamped_is_refused_in_words(
    run: Path, rig: StampRig, tmp_path: Path
) -> None:
    (tmp_path / "page").write_text("<html>")
    with pytest.raises(UserError, match="no time stamp of the run's signature"):
        take_stamp(str(run), run.parent, tmp_path / "page")
    with pytest.raises(UserError, match="no time stamp of the run's signature"):
        take_stamp(str(run), run.parent, tmp_path / "none")
    assert aisci("stamp", run, "--request", tmp_path / "page").exit_code == 2, "a file is kept"
    both = aisci("stamp", run, "--request", tmp_path / "a", "--answer", tmp_path / "b")
    assert both.exit_code == 2
    stamp(run, rig)
    again = aisci("stamp", run, "--request", tmp_path / "again")
    assert "has a time stamp already" in again.stderr
    (run / "signature.json").unlink()
    none = aisci("stamp", run, "--request", tmp_path / "again")
    assert "no signature to stamp" in none.stderr
    (run / "signature.json").write_bytes(bytes(17 << 20))
    none = aisci("stamp", run, "--request", tmp_path / "again")
    assert none.exit_code == 2
    assert "no signature of aisci's" in none.stderr
    assert not (tmp_path / "again").exists()


def test_a_stamp_goes_with_an_exported_run_and_stays_with_its_record(
    run: Path, rig: StampRig, tmp_path: Path
) -> None:
    stamp(run, rig)
    done = pack_run(str(run), run.parent, tmp_path / "x.tar.gz")
    shutil.unpack_archive(done.file, tmp_path / "there", filter="data")
    there = tmp_path / "there" / "quick" / run.name
    assert audited(there, rig.root).stamp.endswith("vouched for by root.pem")
    prune_run(there, tmp_path / "there", keep_record=True)
    assert audited(there, rig.root).outcome is AuditVerdict.CONSISTENT
