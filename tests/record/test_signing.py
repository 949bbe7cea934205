"""Keys and envelopes: which keys are taken, and that openssl agrees with what they sign."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from orchestrator.core.errors import UserError
from orchestrator.core.tree import canonical
from orchestrator.record.attestation import STATEMENT
from orchestrator.record.envelope import (
    PAYLOAD,
    RUN_PREDICATE,
    Envelope,
    open_envelope,
    signed_envelope,
)
from orchestrator.record.signing import read_signer, read_verifier

STATED = canonical(
    {"_type": STATEMENT, "subject": [], "predicateType": RUN_PREDICATE, "predicate": {}}
)


def call(*words: object) -> str:
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True)
    return done.stdout


def pem(folder: Path, name: str = "key") -> Path:
    """A new private key; the public one lies beside it."""
    path = folder / f"{name}.pem"
    call("openssl", "genpkey", "-algorithm", "ed25519", "-out", path)
    call("openssl", "pkey", "-in", path, "-pubout", "-out", folder / f"{name}.pub")
    return path


def ssh(folder: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    path = folder / "ssh"
    call("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", path)
    return path


@pytest.mark.program
def test_a_key_of_openssl_signs_and_its_public_half_checks(tmp_path: Path) -> None:
    signer, verifier = read_signer(pem(tmp_path)), read_verifier(tmp_path / "key.pub")
    assert signer.public.fingerprint == verifier.fingerprint
    assert verifier.signed(b"said", signer.sign(b"said"))
    assert not verifier.signed(b"other", signer.sign(b"said"))
    assert not verifier.signed(b"said", b"")


@pytest.mark.program
def test_a_key_of_openssh_signs_and_has_the_fingerprint_that_ssh_keygen_shows(
    tmp_path: Path,
) -> None:
    path = ssh(tmp_path)
    signer, verifier = read_signer(path), read_verifier(path.with_suffix(".pub"))
    assert verifier.signed(b"said", signer.sign(b"said"))
    shown = call("ssh-keygen", "-l", "-f", path.with_suffix(".pub")).split()[1]
    assert verifier.fingerprint == signer.public.fingerprint == shown


@pytest.fixture(params=["openssh", "pem"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A key whose passphrase is ``secret``."""
    if request.param == "openssh":
        return ssh(tmp_path, passphrase="secret")
    path = tmp_path / "locked.pem"
    words = ("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret", "-out", path)
    call("openssl", *words)
    return path


@pytest.mark.program
def test_a_key_with_a_passphrase_is_refused_where_nobody_can_be_asked(locked: Path) -> None:
    with pytest.raises(UserError, match="nobody can be asked") as caught:
        read_signer(locked)
    assert "ssh-add" in caught.value.todo


@pytest.mark.program
def test_a_key_with_a_passphrase_signs_after_the_right_one_and_a_wrong_one_is_asked_again(
    locked: Path,
) -> None:
    answers, asked = iter(["wrong", "secret"]), []

    def ask(what: str) -> str:
        asked.append(what)
        return next(answers)

    signer = read_signer(locked, ask=ask)
    assert signer.public.signed(b"said", signer.sign(b"said"))
    assert asked == [str(locked), f"{locked} (wrong, 2 left)"]


@pytest.mark.program
@pytest.mark.parametrize(("said", "times"), [("hush-hush", 3), ("", 1)])
def test_three_wrong_passphrases_or_none_are_an_error_that_repeats_none_of_them(
    locked: Path, said: str, times: int
) -> None:
    asked: list[str] = []

    def ask(what: str) -> str:
        asked.append(what)
        return said

    with pytest.raises(UserError, match="no right passphrase") as caught:
        read_signer(locked, ask=ask)
    assert len(asked) == times
    assert "hush" not in str(vars(caught.value))


@pytest.mark.program
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_private_key_that_others_may_read_is_refused_and_named(mode: int, tmp_path: Path) -> None:
    path = pem(tmp_path)
    read_signer(path)
    path.chmod(mode)
    with pytest.raises(UserError, match="others may read or write this private key") as caught:
        read_signer(path)
    assert str(path) in caught.value.where
    assert f"{mode:04o}" in caught.value.why


@pytest.mark.program
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_an_ecdsa_key_signs_as_openssl_checks_it(curve: str, tmp_path: Path) -> None:
    path, public = tmp_path / "ec.pem", tmp_path / "ec.pub"
    words = ("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}")
    call("openssl", *words, "-out", path)
    call("openssl", "pkey", "-in", path, "-pubout", "-out", public)
    signer, verifier = read_signer(path), read_verifier(public)
    assert signer.public.fingerprint == verifier.fingerprint
    (tmp_path / "said").write_bytes(b"said")
    (tmp_path / "sig").write_bytes(signer.sign(b"said"))
    digest = f"-sha{curve[2:]}"
    files = ("-verify", public, "-signature", tmp_path / "sig", tmp_path / "said")
    assert "Verified OK" in call("openssl", "dgst", digest, *files)
    assert verifier.signed(b"said", signer.sign(b"said"))
    assert not verifier.signed(b"other", signer.sign(b"said"))


@pytest.mark.program
def test_a_curve_that_tokens_do_not_have_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ec.pem"
    words = ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521", "-out", path)
    call("openssl", *words)
    with pytest.raises(UserError, match="ECDSA on secp521r1"):
        read_signer(path)


@pytest.mark.program
def test_a_key_of_another_kind_is_refused_and_named(tmp_path: Path) -> None:
    path = ssh(tmp_path, kind="rsa")
    with pytest.raises(UserError, match="RSAPrivateKey"):
        read_signer(path)
    with pytest.raises(UserError, match="RSAPublicKey"):
        read_verifier(path.with_suffix(".pub"))


@pytest.mark.parametrize(
    "text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n", "ssh-ed25519 A"]
)
def test_a_file_that_is_no_key_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(UserError):
        read_signer(path)
    with pytest.raises(UserError):
        read_verifier(path)


@pytest.mark.program
def test_the_halves_are_not_taken_for_each_other(tmp_path: Path) -> None:
    path = pem(tmp_path)
    with pytest.raises(UserError, match="public key, which cannot sign"):
        read_signer(tmp_path / "key.pub")
    with pytest.raises(UserError, match="must stay secret"):
        read_verifier(path)
    with pytest.raises(UserError, match="no such key file"):
        read_signer(tmp_path / "none")


@pytest.mark.program
def test_openssl_alone_can_check_an_envelope(tmp_path: Path) -> None:
    """What is signed is what DSSE says, in bytes that another program makes."""
    signer = read_signer(pem(tmp_path))
    data = signed_envelope(STATED, signer.public.fingerprint, signer.sign)
    row = json.loads(data)
    payload = base64.b64decode(row["payload"])
    assert payload == STATED
    kind = PAYLOAD.encode()
    signed = b" ".join([b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload])
    (tmp_path / "signed").write_bytes(signed)
    (tmp_path / "sig").write_bytes(base64.b64decode(row["signatures"][0]["sig"]))
    files = ("-in", tmp_path / "signed", "-sigfile", tmp_path / "sig")
    said = call(
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "key.pub", "-rawin", *files
    )
    assert "Verified Successfully" in said


@pytest.mark.program
def test_an_envelope_is_opened_to_what_was_signed_and_to_nothing_else(tmp_path: Path) -> None:
    signer = read_signer(pem(tmp_path))
    envelope, statement = open_envelope(signed_envelope(STATED, "k", signer.sign))
    assert statement["predicateType"] == RUN_PREDICATE
    ((name, signature),) = envelope.signatures
    assert name == "k"
    assert signer.public.signed(envelope.to_sign, signature)
    assert not signer.public.signed(Envelope(STATED + b" ", ()).to_sign, signature)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payloadType": "text/plain", "payload": "", "signatures": []}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "%", "signatures": []}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": []}',
        b'{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [1]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_told_as_that(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        open_envelope(data)
