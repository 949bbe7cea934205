"""Time stamps: real answers of openssl's authority, and what of them is not taken."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.core.errors import UserError
from orchestrator.record.timestamp import (
    checked_stamp,
    read_authority,
    stamp_request,
    stamped_at,
)
from tests.support.stamp_authority import StampRig

SIGNED = b'{"a": "signature"}'

pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> StampRig:
    return StampRig(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def answer(rig: StampRig) -> bytes:
    return rig.answer(stamp_request(SIGNED))


def test_the_request_is_the_one_that_openssl_makes(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(SIGNED)
    words = ["openssl", "ts", "-query", "-data", "data", "-sha256", "-cert", "-no_nonce"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    assert stamp_request(SIGNED) == done.stdout
    assert SIGNED not in stamp_request(SIGNED)


def test_a_stamp_says_when_and_its_authority_vouches_for_it(rig: StampRig, answer: bytes) -> None:
    at = checked_stamp(answer, SIGNED, read_authority(rig.root, "--stamped-by"))
    assert at == stamped_at(answer, SIGNED)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=10)


def test_a_stamp_of_something_else_is_not_taken(rig: StampRig, answer: bytes) -> None:
    authority = read_authority(rig.root, "--stamped-by")
    with pytest.raises(ValueError, match="another signature than this one"):
        stamped_at(answer, SIGNED + b" ")
    with pytest.raises(ValueError, match="another signature than this one"):
        checked_stamp(answer, SIGNED + b" ", authority)


def test_a_stamp_by_another_authority_of_the_same_name_is_not_vouched_for(
    answer: bytes, tmp_path: Path
) -> None:
    other = StampRig(tmp_path / "other")
    with pytest.raises(ValueError, match=r".+"):
        checked_stamp(answer, SIGNED, read_authority(other.root, "--stamped-by"))


def test_an_authority_whose_certificate_had_ended_or_not_begun_is_not_believed(
    tmp_path: Path,
) -> None:
    for name, days, why in (
        ("over", (-90, -30), "certificate has expired"),
        ("early", (5, 30), "certificate is not yet valid"),
    ):
        rig = StampRig(tmp_path / name, days)
        authority = read_authority(rig.root, "--stamped-by")
        with pytest.raises(ValueError, match=why):
            checked_stamp(rig.answer(stamp_request(SIGNED)), SIGNED, authority)


def test_a_certificate_that_is_not_for_time_stamps_gives_none(
    answer: bytes, tmp_path: Path
) -> None:
    """By a root that the auditor names; openssl's own authority refuses it, so the stamp is signed by hand."""
    rig = StampRig(tmp_path / "wrong", for_stamps=False)
    with pytest.raises(subprocess.CalledProcessError):
        rig.answer(stamp_request(SIGNED))
    (tmp_path / "a.tsr").write_bytes(answer)
    cms = ["openssl", "cms", "-binary", "-outform", "DER"]
    for words in (
        ["openssl", "ts", "-reply", "-in", "a.tsr", "-token_out", "-out", "token"],
        ["openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", "token", "-out", "said"],
        [*cms, "-sign", "-in", "said", "-nodetach", "-econtent_type", "1.2.840.113549.1.9.16.1.4",
         "-signer", "wrong/tsa.pem", "-inkey", "wrong/tsa.key", "-md", "sha256", "-out", "forged"],
    ):  # fmt: skip
        subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    token = (tmp_path / "forged").read_bytes()
    body = b"\x30\x03\x02\x01\x00" + token  # status: granted
    forged = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    assert stamped_at(forged, SIGNED) == stamped_at(answer, SIGNED)
    with pytest.raises(ValueError, match=r"EKU|purpose"):
        checked_stamp(forged, SIGNED, read_authority(rig.root, "--stamped-by"))


def test_no_changed_byte_of_a_stamp_changes_what_is_vouched_for(
    rig: StampRig, answer: bytes
) -> None:
    """A change is refused, or it is in what nobody signs (a version, a name of an algorithm)."""
    authority = read_authority(rig.root, "--stamped-by")
    at, taken = stamped_at(answer, SIGNED), 0
    for place in range(len(answer)):
        for bit in (1, 128):
            changed = bytearray(answer)
            changed[place] ^= bit
            try:
                found = checked_stamp(bytes(changed), SIGNED, authority)
            except ValueError:
                continue
            taken += 1
            assert found == at
    assert taken < len(answer) / 20


def test_a_refusal_of_the_authority_and_bytes_of_anything_else_are_told_as_that(
    rig: StampRig,
) -> None:
    refused = rig.answer(stamp_request(SIGNED).replace(b"\x01\xff", b"\x01\xff")[:-3])
    for data, why in (
        (b"", "no answer of a time-stamp authority"),
        (b"\x30\x82" + b"x" * 100, "no answer of a time-stamp authority"),
        (b"<html>", "no answer of a time-stamp authority"),
        (refused, "the authority granted no stamp"),
    ):
        with pytest.raises(ValueError, match=why):
            stamped_at(data, SIGNED)


def test_a_stamp_on_another_hash_is_not_taken(rig: StampRig, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(SIGNED)
    words = ["openssl", "ts", "-query", "-data", "data", "-sha512", "-cert", "-no_nonce"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    with pytest.raises(ValueError, match="another hash than SHA-256"):
        stamped_at(rig.answer(done.stdout), SIGNED)


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n")
    with pytest.raises(UserError, match="no usable certificate"):
        read_authority(tmp_path / "x.pem", "--stamped-by")
    with pytest.raises(UserError, match="no such file of a certificate"):
        read_authority(tmp_path / "none", "--stamped-by")
